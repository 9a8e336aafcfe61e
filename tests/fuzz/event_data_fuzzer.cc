// SPDX-License-Identifier: Apache-2.0

// Target: the parsers of attest::eventlog for typed event data; the first byte chooses one.
// Properties: an error's offset is inside the data; views lie inside the data, in order and without
// overlap, and what they and the fixed fields have in bytes is all of the data; text is escaped.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>

#include "libattest/base/text.h"
#include "libattest/eventlog/event_data.h"

namespace {

using attest::as_bytes;
using attest::Bytes;
using namespace attest::eventlog;

void require(bool good) {
  if (!good) std::abort();
}

// The views follow each other inside `in`, and with `fixed` more bytes are as long as it.
void require_fills(Bytes in, std::size_t fixed, std::initializer_list<Bytes> views) {
  const std::uint8_t* at = in.data();
  const std::uint8_t* const end = in.data() + in.size();
  std::size_t size = fixed;
  for (const Bytes v : views) {
    size += v.size();
    if (v.empty()) continue;
    require(v.data() >= at && v.data() + v.size() <= end);
    at = v.data() + v.size();
  }
  require(size == in.size());
}

void variable(Bytes in) {
  const VariableData v = parse_variable(in);
  require_fills(in, 16, {v.guid, v.name, v.data});
  require(v.name.size() <= 2048 && v.name.size() % 2 == 0);
  const std::string shown = attest::printable(utf8_of_utf16(v.name));
  require(std::none_of(shown.begin(), shown.end(), [](char c) { return c >= 0 && c < ' '; }));
}

void shim(Bytes in) {
  const VariableData v = parse_shim_authority(in);
  require(v.data.size() < in.size());
}

void signatures(Bytes in) {
  SignatureLists lists(in);
  const std::uint8_t* at = in.data();
  std::size_t total = 0;
  while (const auto s = lists.next()) {
    require(s->type.size() == 16 && s->owner.size() == 16 && !s->data.empty());
    require(s->owner.data() >= at && s->data.data() == s->owner.data() + 16);
    at = s->data.data() + s->data.size();
    total += 16 + s->data.size();
  }
  require(at <= in.data() + in.size() && total <= in.size());
}

void image(Bytes in) {
  const ImageLoad i = parse_image_load(in);
  require_fills(in, 32, {i.device_path});
  const Bytes file = file_of_device_path(i.device_path);
  require(file.empty() || (file.data() >= i.device_path.data() &&
                           file.data() + file.size() <= in.data() + in.size()));
}

void manifest(Bytes in) {
  const ReferenceManifest m = parse_reference_manifest(in);
  if (m.version == 1) return require_fills(in, 20, {m.guid});
  // Each of five strings has its length, and its NUL unless it is of no bytes at all.
  std::size_t nuls = 0;
  for (const auto s : {m.platform_manufacturer, m.platform_model, m.platform_version,
                       m.firmware_manufacturer, m.firmware_version}) {
    if (s.data() != nullptr && s.data() + s.size() < attest::as_text(in).data() + in.size() &&
        s.data() + s.size() > attest::as_text(in).data() && s.data()[s.size()] == '\0' &&
        static_cast<std::size_t>(static_cast<std::uint8_t>(s.data()[-1])) == s.size() + 1) {
      ++nuls;
    }
  }
  const std::size_t fixed = 20 + 5 + 4 + nuls + (m.version == 3 ? 16 : 0);
  require_fills(in, fixed,
                {m.guid, as_bytes(m.platform_manufacturer), as_bytes(m.platform_model),
                 as_bytes(m.platform_version), as_bytes(m.firmware_manufacturer),
                 as_bytes(m.firmware_version), m.rim_locator, m.certificate_locator});
}

void parse(std::uint8_t which, Bytes in) {
  switch (which) {
    case 0:
      return variable(in);
    case 1:
      return shim(in);
    case 2:
      return signatures(in);
    case 3:
      return image(in);
    case 4: {
      const Gpt g = parse_gpt(in);
      return require_fills(in, 84, {g.disk_guid, g.entries});
    }
    case 5:
      return require_fills(in, 16, {parse_firmware_blob(in).description});
    case 6:
      return require_fills(in, 17, {parse_firmware_blob2(in).description});
    case 7:
    case 8: {
      const HandoffTables t = parse_handoff_tables(in, which == 7 ? 8 : 4);
      require(t.entries.size() == t.count * (which == 7 ? 24 : 20));
      return require_fills(in, 8, {t.entries});
    }
    case 9: {
      const HandoffTables t = parse_handoff_tables2(in, 8);
      return require_fills(in, 9, {t.description, t.entries});
    }
    case 10:
      return require_fills(in, 8, {parse_tagged_event(in).data});
    case 11:
      return manifest(in);
    case 12: {
      const HcrtmComponent h = parse_hcrtm_component(in);
      return require_fills(in, 20, {h.description, h.measurement});
    }
    default:
      return check_structure(static_cast<std::uint32_t>(which) | 0x80000000U, in, 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes in(data + 1, size - 1);
  try {
    parse(data[0], in);
  } catch (const attest::ParseError& e) {
    require(e.offset() <= in.size());
  }
  return 0;
}
