// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/render.h"

#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "libattest/boot/check.h"
#include "libattest/boot/switch.h"
#include "tests/support/parse_error.h"

using attest::boot::Format;
using attest::boot::render;
using attest::boot::RenderOptions;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

RenderOptions good(Format format) {
  RenderOptions o;
  o.format = format;
  o.kernel = "node/kernel";
  o.ramdisk = "node/ramdisk";
  o.append = "console=ttyS0";
  return o;
}

RenderOptions whole(Format format) {
  RenderOptions o = good(format);
  o.complete = true;
  o.deploy_kernel = "node/deploy_kernel";
  o.deploy_ramdisk = "node/deploy_ramdisk";
  return o;
}

std::string error_of(const RenderOptions& o) {
  return parse_error_of([&] { return render(o); });
}

// The ids of what is wrong.
std::vector<std::string> problems_of(const std::string& text) {
  auto config = attest::boot::parse_config(text, std::nullopt);
  attest::boot::check(config, text, {});
  std::vector<std::string> out;
  for (const auto& problem : config.problems.all()) out.emplace_back(id_of(problem.code));
  return out;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("PXELINUX starts tboot through mboot.c32") {
  RenderOptions o = good(Format::kPxelinux);
  CHECK(render(o) ==
        "label trusted_boot\n"
        "kernel mboot.c32\n"
        "append tboot.gz --- node/kernel root={{ ROOT }} ro text console=ttyS0 intel_iommu=on --- "
        "node/ramdisk\n");
  o.root_uuid = "1234-abcd";
  o.tboot = "boot/tboot.gz";
  o.tboot_args = "logging=serial,memory vga=x";
  o.mboot = "bios/mboot.c32";
  o.append = "";
  CHECK(render(o) ==
        "label trusted_boot\n"
        "kernel bios/mboot.c32\n"
        "append boot/tboot.gz logging=serial,memory vga=x --- node/kernel root=UUID=1234-abcd ro "
        "text  intel_iommu=on --- node/ramdisk\n");
}

TEST_CASE("the seed's literal form is there on request") {
  RenderOptions o = good(Format::kPxelinux);
  o.literal_mboot = true;
  CHECK_THAT(render(o), StartsWith("label trusted_boot\nkernel mboot\nappend tboot.gz --- "));
  o.mboot = "mboot.c32";
  CHECK_THROWS_AS(render(o), std::invalid_argument);
}

TEST_CASE("iPXE starts an unpacked tboot with modules") {
  RenderOptions o = good(Format::kIpxe);
  o.tboot_args = "logging=serial";
  CHECK(render(o) ==
        ":trusted_boot\n"
        "imgfree\n"
        "kernel tboot logging=serial || goto trusted_boot\n"
        "module node/kernel root={{ ROOT }} ro text console=ttyS0 intel_iommu=on || goto "
        "trusted_boot\n"
        "module node/ramdisk || goto trusted_boot\n"
        "boot\n");
  o.tboot_args = "";
  o.ipxe_timeout = std::chrono::milliseconds(1500);
  CHECK_THAT(render(o), Contains("\nkernel --timeout 1500 tboot || goto trusted_boot\n"
                                 "module --timeout 1500 node/kernel root="));
  o.tboot = "http://192.0.2.1/tboot.gz";
  CHECK_THAT(error_of(o), StartsWith("tboot: its name: iPXE does not unpack it"));
}

TEST_CASE("GRUB starts tboot with multiboot2") {
  CHECK(render(good(Format::kGrub)) ==
        "menuentry \"trusted_boot\"  {\n"
        "    multiboot2 tboot.gz\n"
        "    module2 node/kernel root=(( ROOT )) ro text console=ttyS0 intel_iommu=on\n"
        "    module2 node/ramdisk\n"
        "}\n");
}

TEST_CASE("a whole configuration has the labels of Ironic's templates, and boots") {
  const Format format = GENERATE(Format::kPxelinux, Format::kIpxe, Format::kGrub);
  const std::string text = render(whole(format));
  const auto config = attest::boot::parse_config(text, std::nullopt);
  CHECK(config.format == format);
  REQUIRE(config.defaults.size() == 1);
  CHECK(config.defaults[0].label == "deploy");
  for (const char* label : {"deploy", "boot_partition", "boot_whole_disk", "boot_ramdisk",
                            "boot_anaconda", "trusted_boot"}) {
    INFO(label);
    const auto* entry = attest::boot::find_entry(config, label);
    REQUIRE(entry != nullptr);
    CHECK(attest::boot::starts_tboot(*entry) == (label == std::string("trusted_boot")));
    attest::boot::SwitchOptions to;
    to.format = format;
    to.label = label;
    const std::string id = "12ab-cd";
    if (label == std::string("boot_whole_disk")) {
      to.disk_identifier = id;
    } else {
      to.root_uuid = id;
    }
    CHECK(problems_of(attest::boot::switch_text(text, to, "text")).empty());
  }
  CHECK(problems_of(text).empty());
}

TEST_CASE("without a deploy ramdisk a whole configuration boots tboot") {
  const Format format = GENERATE(Format::kPxelinux, Format::kIpxe, Format::kGrub);
  RenderOptions o = good(format);
  o.complete = true;
  const std::string text = render(o);
  const auto config = attest::boot::parse_config(text, std::nullopt);
  REQUIRE(config.defaults.size() == 1);
  CHECK(config.defaults[0].label == "trusted_boot");
  CHECK(attest::boot::find_entry(config, "deploy") == nullptr);
  CHECK(problems_of(text) == Ids{"placeholder"});
  o.root_uuid = "12ab-cd";
  CHECK(problems_of(render(o)).empty());
}

TEST_CASE(
    "a deploy ramdisk can be started by tboot, and nothing of its arguments is the machine's") {
  const Format format = GENERATE(Format::kPxelinux, Format::kIpxe, Format::kGrub);
  RenderOptions o = whole(format);
  o.trusted_deploy = true;
  o.deploy_append = "ipa-api-url=http://192.0.2.1:6385";
  const std::string text = render(o);
  const auto config = attest::boot::parse_config(text, std::nullopt);
  const auto* entry = attest::boot::find_entry(config, "deploy");
  REQUIRE(entry != nullptr);
  REQUIRE(attest::boot::starts_tboot(*entry));
  REQUIRE(entry->images.size() == 3);
  CHECK(entry->images[1].path == "node/deploy_kernel");
  CHECK_THAT(entry->images[1].arguments,
             StartsWith("selinux=0 troubleshoot=0 text ipa-api-url=http://192.0.2.1:6385 "
                        "intel_iommu=on"));
  CHECK(entry->images[2].path == "node/deploy_ramdisk");
  CHECK(problems_of(text).empty());
  const std::string other = text.substr(0, text.find("boot_partition"));
  CHECK(other.find("BOOTIF") == std::string::npos);
  CHECK(other.find("ipappend") == std::string::npos);
}

TEST_CASE("every value that could break out is refused by its name") {
  const Format format = GENERATE(Format::kPxelinux, Format::kIpxe, Format::kGrub);
  const std::string bad = "a\nb";
  const std::vector<std::pair<std::string, std::function<void(RenderOptions&)>>> values = {
      {"kernel", [&](auto& o) { o.kernel = bad; }},
      {"ramdisk", [&](auto& o) { o.ramdisk = bad; }},
      {"root_uuid", [&](auto& o) { o.root_uuid = bad; }},
      {"append", [&](auto& o) { o.append = bad; }},
      {"tboot", [&](auto& o) { o.tboot = bad; }},
      {"tboot_args", [&](auto& o) { o.tboot_args = bad; }},
      {"deploy_kernel", [&](auto& o) { o.deploy_kernel = bad; }},
      {"deploy_ramdisk", [&](auto& o) { o.deploy_ramdisk = bad; }},
      {"deploy_append", [&](auto& o) { o.deploy_append = bad; }},
      {"ramdisk_append", [&](auto& o) { o.ramdisk_append = bad; }},
      {"kickstart", [&](auto& o) { o.kickstart = bad; }},
      {"stage2", [&](auto& o) { o.stage2 = bad; }},
  };
  for (const auto& [name, spoil] : values) {
    RenderOptions o = whole(format);
    REQUIRE(error_of(o) == "accepted");
    spoil(o);
    CHECK_THAT(error_of(o), StartsWith(name + ": byte 1: "));
  }
  RenderOptions o = good(Format::kPxelinux);
  o.mboot = bad;
  CHECK_THAT(error_of(o), StartsWith("mboot: byte 1"));
  o = whole(Format::kGrub);
  o.tftp_server = bad;
  CHECK_THAT(error_of(o), StartsWith("tftp_server: byte 1"));
  o.tftp_server = "";
  o.repository = bad;
  CHECK_THAT(error_of(o), StartsWith("repository: byte 1"));
}

TEST_CASE("arguments that would be cut are refused, the placeholder at its longest") {
  const auto [format, room] = GENERATE(std::pair(Format::kPxelinux, 1023 - sizeof "node/kernel"),
                                       std::pair(Format::kIpxe, 512 - sizeof "tboot:node/kernel "),
                                       std::pair(Format::kGrub, std::size_t{1023}));
  RenderOptions o = good(format);
  const std::string root(64, 'a');
  o.root_uuid = root;
  const std::size_t around = std::string("root=UUID= ro text  intel_iommu=on").size() + 64;
  const std::string fits(room - around, 'x');
  const std::string over(room + 1 - around, 'x');
  o.append = fits;
  CHECK(problems_of((format == Format::kIpxe ? "#!ipxe\n" : "default trusted_boot\n") + render(o))
            .empty());
  o.append = over;
  CHECK_THAT(error_of(o),
             StartsWith("append: its length: the kernel would have " + std::to_string(room + 1) +
                        " bytes of arguments, of which " + std::to_string(room) + " arrive: "));
  o.root_uuid.reset();
  CHECK_THAT(error_of(o), StartsWith("append: its length: "));
  o.append = fits;
  CHECK(error_of(o) == "accepted");
  o = whole(format);
  const std::string longer(990, 'x');
  o.deploy_append = longer;
  CHECK(error_of(o) == "accepted");
  o.trusted_deploy = true;
  CHECK_THAT(error_of(o), StartsWith("deploy_append: its length: "));
}

TEST_CASE("options that do not go together are refused") {
  const auto refused = [](const RenderOptions& o) {
    CHECK_THROWS_AS(render(o), std::invalid_argument);
  };
  RenderOptions o = good(Format::kGrub);
  o.mboot = "mboot.c32";
  refused(o);
  o = good(Format::kIpxe);
  o.literal_mboot = true;
  refused(o);
  o = whole(Format::kPxelinux);
  o.deploy_ramdisk.reset();
  refused(o);
  o = good(Format::kPxelinux);
  o.deploy_kernel = "k";
  o.deploy_ramdisk = "r";
  refused(o);
  o = good(Format::kPxelinux);
  o.complete = true;
  o.trusted_deploy = true;
  refused(o);
  o = good(Format::kPxelinux);
  o.stage2 = "http://192.0.2.1/stage2";
  refused(o);
  o = good(Format::kPxelinux);
  o.ipxe_timeout = std::chrono::milliseconds(1);
  refused(o);
  o = whole(Format::kPxelinux);
  o.tftp_server = "192.0.2.1";
  refused(o);
  o = whole(Format::kPxelinux);
  o.repository = "http://192.0.2.1/os";
  refused(o);
}
