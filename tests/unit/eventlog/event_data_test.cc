// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/event_data.h"

#include <catch2/catch.hpp>
#include <functional>

#include "libattest/base/text.h"
#include "tests/support/eventlog_builder.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;
using Catch::Matchers::Contains;

std::string why(const std::function<void(Bytes)>& parse, const Data& in) {
  try {
    parse(in);
  } catch (const ParseError& e) {
    CHECK(e.offset() <= in.size());
    return e.what();
  }
  return "parsed";
}
Data put(Data in, std::size_t at, const Data& v) {
  std::copy(v.begin(), v.end(), in.begin() + static_cast<long>(at));
  return in;
}
Data u64(std::uint64_t v) { return Writer().le(v).out; }
Data u32(std::uint32_t v) { return Writer().le(v).out; }

Data manifest(int version) {
  Writer w;
  w.text("SP800-155 Event");
  w.raw({static_cast<std::uint8_t>(version == 1 ? 0 : '0' + version)});
  w.le(std::uint32_t{0x157}).fill(16, 0x42);
  if (version == 1) return w.out;
  for (const char* s : {"maker", "model", "1"}) {
    w.raw({static_cast<std::uint8_t>(std::string(s).size() + 1)}).text(s).raw({0});
  }
  w.raw({0}).le(std::uint32_t{0x158}).raw({4}).text("fw1").raw({0});
  if (version == 2) return w.out;
  w.le(std::uint32_t{1}).le(std::uint32_t{3}).text("uri");
  return w.le(std::uint32_t{0}).le(std::uint32_t{4}).text("cert").out;
}

Data component() {
  return Writer()
      .text("H-CRTM CompMeas")
      .raw({0, 3})
      .text("ACM")
      .raw({0x80})
      .le(std::uint16_t{2})
      .text("hi")
      .out;
}

const Data kBlob = cat(u64(0x820000), u64(0xe0000));
Data tables(std::size_t pointer_size) {
  return Writer().le(std::uint64_t{2}).fill(2 * (16 + pointer_size), 0x44).out;
}

struct Format {
  const char* name;
  std::function<void(Bytes)> parse;
  Data good;
};
std::vector<Format> formats() {
  return {
      {"variable", parse_variable, variable(kEfiGlobalVariable, "Boot0000", {1, 2, 3})},
      {"image", parse_image_load, image_load(file_path("a"))},
      {"gpt", parse_gpt, gpt(2)},
      {"blob", parse_firmware_blob, kBlob},
      {"blob2", parse_firmware_blob2, cat({2, 'h', 'i'}, kBlob)},
      {"tables", [](Bytes b) { parse_handoff_tables(b, 8); }, tables(8)},
      {"tables of 32 bits", [](Bytes b) { parse_handoff_tables(b, 4); }, tables(4)},
      {"tables2", [](Bytes b) { parse_handoff_tables2(b, 8); }, cat({2, 'h', 'i'}, tables(8))},
      {"tag", parse_tagged_event, tagged(7, text("seven"))},
      {"manifest 1", parse_reference_manifest, manifest(1)},
      {"manifest 2", parse_reference_manifest, manifest(2)},
      {"manifest 3", parse_reference_manifest, manifest(3)},
      {"component", parse_hcrtm_component, component()},
  };
}

TEST_CASE("each structure is exactly as long as it says") {
  for (const Format& f : formats()) {
    CAPTURE(f.name);
    CHECK(why(f.parse, f.good) == "parsed");
    CHECK_THAT(why(f.parse, cat(f.good, {0})), Contains("bytes after its end"));
    for (std::size_t n = 0; n < f.good.size(); ++n) {
      CAPTURE(n);
      CHECK(why(f.parse, Data(f.good.begin(), f.good.begin() + static_cast<long>(n))) != "parsed");
    }
  }
}

TEST_CASE("a variable is read field by field") {
  const Data in = variable(kImageSecurityDatabase, "db", {1, 2, 3});
  const VariableData v = parse_variable(in);
  CHECK(is_guid(v.guid, kImageSecurityDatabase));
  CHECK(utf8_of_utf16(v.name) == "db");
  CHECK(Data(v.data.begin(), v.data.end()) == Data{1, 2, 3});
  CHECK(v.is(kImageSecurityDatabase, "db"));
  CHECK_FALSE(v.is(kImageSecurityDatabase, "dbx"));
  CHECK_FALSE(v.is(kImageSecurityDatabase, "DB"));
  CHECK_FALSE(v.is(kEfiGlobalVariable, "db"));
  Data wide = in;
  wide[33] = 1;  // 'd' becomes another letter with the same low byte
  CHECK_FALSE(parse_variable(wide).is(kImageSecurityDatabase, "db"));
}

TEST_CASE("a name's length that wraps when it is doubled is malformed") {
  const Data good = variable(kEfiGlobalVariable, "PK", {1});
  for (const std::uint64_t n : {std::uint64_t{1} << 63U, (std::uint64_t{1} << 63U) + 2,
                                ~std::uint64_t{0}, std::uint64_t{1025}}) {
    CHECK_THAT(why(parse_variable, put(good, 16, u64(n))),
               Contains("UnicodeNameLength: a name of more than 2048 bytes"));
  }
  CHECK_THAT(why(parse_variable, put(good, 16, u64(1024))), Contains("UnicodeName: input ends"));
  CHECK_THAT(why(parse_variable, put(good, 24, u64((1U << 20U) + 1))),
             Contains("VariableDataLength: more than 1 MiB"));
  CHECK_THAT(why(parse_variable, put(good, 24, u64(~std::uint64_t{0}))), Contains("1 MiB"));
  CHECK_THAT(why(parse_variable, put(good, 24, u64(2))), Contains("VariableData: input ends"));
}

TEST_CASE("signature lists are in six variables of two owners") {
  const auto holds = [](const Guid& guid, const char* name) {
    const Data in = variable(guid, name, {});
    return holds_signature_lists(parse_variable(in));
  };
  for (const char* name : {"PK", "KEK"}) {
    CHECK(holds(kEfiGlobalVariable, name));
    CHECK_FALSE(holds(kImageSecurityDatabase, name));
  }
  for (const char* name : {"db", "dbx", "dbt", "dbr"}) {
    CHECK(holds(kImageSecurityDatabase, name));
    CHECK_FALSE(holds(kShimLock, name));
  }
  CHECK_FALSE(holds(kEfiGlobalVariable, "SecureBoot"));
}

TEST_CASE("shim's extra byte is dropped, behind the structure or inside its data") {
  const Data good = variable(kShimLock, "Shim", {1, 2, 3});
  const auto data = [](const Data& in) {
    const VariableData v = parse_shim_authority(in);
    return Data(v.data.begin(), v.data.end());
  };
  CHECK(data(cat(good, {9})) == Data{1, 2, 3});
  CHECK(data(variable(kShimLock, "Shim", {1, 2, 3, 9})) == Data{1, 2, 3});
  CHECK(data(variable(kShimLock, "Shim", {})).empty());
  CHECK_THROWS_AS(parse_shim_authority({}), ParseError);
  CHECK_THROWS_AS(parse_shim_authority(cat(good, {9, 9})), ParseError);
}

TEST_CASE("an image's fields and a length that is not its device path's") {
  const Data path = file_path("\\a.efi");
  const Data in = image_load(path);
  const ImageLoad i = parse_image_load(in);
  CHECK(i.address == 0x1000);
  CHECK(i.length == 0x2000);
  CHECK(i.device_path.size() == path.size());
  CHECK_THAT(why(parse_image_load, put(in, 24, u64(~std::uint64_t{0}))),
             Contains("DevicePath: more entries than there are bytes"));
  CHECK_THAT(why(parse_image_load, put(in, 24, u64(path.size() - 1))), Contains("after its end"));
}

TEST_CASE("a GPT's entries fill it") {
  const Data good = gpt(2);
  const Gpt g = parse_gpt(good);
  CHECK(g.num_partitions == 2);
  CHECK(g.disk_guid[0] == 0x77);
  CHECK(g.entries.size() == 256);
  CHECK_THAT(why(parse_gpt, put(good, 0, text("e"))), Contains("Signature: not \"EFI PART\""));
  CHECK_THAT(why(parse_gpt, put(good, 12, u32(91))), Contains("HeaderSize: less than 92"));
  CHECK_THAT(why(parse_gpt, put(good, 84, u32(127))), Contains("SizeOfPartitionEntry: less"));
  CHECK_THAT(why(parse_gpt, put(good, 84, u32(0))), Contains("SizeOfPartitionEntry: less"));
  CHECK_THAT(why(parse_gpt, put(good, 84, u32(256))), Contains("more entries than"));
  CHECK_THAT(why(parse_gpt, put(good, 92, u64(1))), Contains("after its end"));
  CHECK_THAT(why(parse_gpt, put(good, 92, u64(std::uint64_t{1} << 57U))),
             Contains("more entries than"));
}

TEST_CASE("blobs and tables may have descriptions") {
  const Data two = cat({2, 'h', 'i'}, kBlob);
  const FirmwareBlob b = parse_firmware_blob2(two);
  CHECK(as_text(b.description) == "hi");
  CHECK(b.base == 0x820000);
  CHECK(b.length == 0xe0000);
  const Data in = tables(4);
  const HandoffTables t = parse_handoff_tables(in, 4);
  CHECK(t.count == 2);
  CHECK(t.entries.size() == 40);
  CHECK_THAT(why([](Bytes d) { parse_handoff_tables(d, 8); }, in), Contains("more entries than"));
  CHECK_THAT(
      why([](Bytes d) { parse_handoff_tables(d, 8); }, put(tables(8), 0, u64(~std::uint64_t{0}))),
      Contains("more entries than"));
}

TEST_CASE("go-attestation 8e0dcfe: counts are compared with the bytes there are") {
  CHECK_THAT(why(parse_tagged_event, put(tagged(7, text("x")), 4, u32(0xffffffff))),
             Contains("more entries than there are bytes for"));
  CHECK_THAT(why(parse_tagged_event, put(tagged(7, text("xy")), 4, u32(1))),
             Contains("bytes after its end"));
}

TEST_CASE("reference manifests are hints of three versions") {
  const Data three = manifest(3);
  const ReferenceManifest m = parse_reference_manifest(three);
  CHECK(m.version == 3);
  CHECK(m.manufacturer_id == 0x157);
  CHECK(m.platform_manufacturer == "maker");
  CHECK(m.platform_model == "model");
  CHECK(m.platform_version == "1");
  CHECK(m.firmware_manufacturer.empty());
  CHECK(m.firmware_manufacturer_id == 0x158);
  CHECK(m.firmware_version == "fw1");
  CHECK(m.rim_locator_type == 1);
  CHECK(as_text(m.rim_locator) == "uri");
  CHECK(as_text(m.certificate_locator) == "cert");
  CHECK_THAT(why(parse_reference_manifest, put(three, 15, {'4'})), Contains("of no SP800-155"));
}

TEST_CASE("tpm2-tss c3b7237c, 73e07381: a string without its NUL is malformed") {
  const Data two = manifest(2);
  CHECK_THAT(why(parse_reference_manifest, put(two, 36 + 6, {'x'})),
             Contains("PlatformManufacturerStr: a string without its NUL"));
  CHECK_THAT(why(parse_reference_manifest, put(two, 36, {255})),
             Contains("PlatformManufacturerStr: input ends"));
}

TEST_CASE("a component of the H-CRTM is read field by field") {
  const Data in = component();
  const HcrtmComponent h = parse_hcrtm_component(in);
  CHECK(as_text(h.description) == "ACM");
  CHECK(h.format == 0x80);
  CHECK(as_text(h.measurement) == "hi");
  CHECK_THAT(why(parse_hcrtm_component, put(in, 0, {'x'})), Contains("Signature: of another"));
}

TEST_CASE("EV_NO_ACTION data is known by its first sixteen bytes") {
  CHECK(no_action_kind(LogBuilder::spec_id({Hash::kSha1})) == NoAction::kSpecId);
  CHECK(no_action_kind(component()) == NoAction::kHcrtmComponent);
  for (const int v : {1, 2, 3}) {
    CHECK(no_action_kind(manifest(v)) == NoAction::kReferenceManifest);
  }
  CHECK(no_action_kind(cat(text("StartupLocality"), {0, 3})) == NoAction::kStartupLocality);
  CHECK(no_action_kind(text("StartupLocality")) == NoAction::kOther);
  CHECK(no_action_kind({}) == NoAction::kOther);
}

TEST_CASE("signature lists of a measured database are walked") {
  const Data list = signature_list(kX509Type, {signature(certificate())});
  const Data good = variable(kImageSecurityDatabase, "db", list);
  const Data bad = variable(kImageSecurityDatabase, "db", cat(list, {0}));
  CHECK_NOTHROW(check_structure(kEvEfiVariableDriverConfig, good, 8));
  CHECK_THROWS_AS(check_structure(kEvEfiVariableDriverConfig, bad, 8), ParseError);
  CHECK_NOTHROW(check_structure(kEvEfiVariableBoot, bad, 8));
  CHECK_NOTHROW(check_structure(kEvIpl, bad, 8));
}

}  // namespace
}  // namespace attest::eventlog
