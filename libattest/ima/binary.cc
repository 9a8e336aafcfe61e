// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/binary.h"

#include "libattest/base/text.h"
#include "libattest/ima/template.h"
#include "libattest/tpm/pcr.h"

namespace attest::ima {
namespace {

constexpr std::size_t kLength = sizeof(std::uint32_t);
constexpr std::size_t kLegacyDigestSize = 20;

}  // namespace

Frame frame_record(Bytes in, std::size_t digest_size, std::size_t offset) {
  Reader r(in, kListFormatName, offset);
  Frame f;
  const auto lacks = [&](std::size_t n, std::string_view field) {
    if (r.remaining() >= n) return false;
    f.size = in.size() - r.remaining() + n;
    f.cut = field;
    return true;
  };
  if (lacks(kLength, "PCR")) return f;
  f.pcr = r.u32le("PCR");
  if (f.pcr >= tpm::kNumPcrs) r.fail("PCR", "not 0 to 23");
  if (lacks(digest_size, "template digest")) return f;
  f.header_digest = r.take(digest_size, "template digest");
  if (lacks(kLength, "template name length")) return f;
  const std::uint32_t name_length = r.u32le("template name length");
  if (name_length == 0 || name_length > kMaxTemplateName) {
    r.fail("template name length", "not 1 to 255");
  }
  if (lacks(name_length, "template name")) return f;
  f.template_name = as_text(r.take(name_length, "template name"));
  f.legacy = f.template_name == "ima";
  if (f.legacy) {
    if (lacks(kLegacyDigestSize, "d")) return f;
    f.data_offset = r.offset();
    f.digest = r.take(kLegacyDigestSize, "d");
    if (lacks(kLength, "n length")) return f;
    const std::uint32_t length = r.u32le("n length");
    if (length > kMaxEventName) r.fail("n length", "more than 255");
    if (lacks(length, "n")) return f;
    f.name = r.take(length, "n");
  } else {
    if (lacks(kLength, "template data length")) return f;
    const std::uint32_t length = r.u32le("template data length");
    if (length > kMaxTemplateData) r.fail("template data length", "more than 16 MiB");
    if (lacks(length, "template data")) return f;
    f.data_offset = r.offset();
    f.data = r.take(length, "template data");
  }
  f.size = in.size() - r.remaining();
  return f;
}

}  // namespace attest::ima
