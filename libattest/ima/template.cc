// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/template.h"

#include <algorithm>

namespace attest::ima {
namespace {

struct Named {
  std::string_view name;
  std::string_view format;
};
constexpr std::array<Named, 8> kTemplates{
    {{"ima", "d|n"},
     {"ima-ng", "d-ng|n-ng"},
     {"ima-ngv2", "d-ngv2|n-ng"},
     {"ima-sig", "d-ng|n-ng|sig"},
     {"ima-sigv2", "d-ngv2|n-ng|sig"},
     {"ima-buf", "d-ng|n-ng|buf"},
     {"ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig"},
     {"evm-sig", "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode"}}};

// Fields of one role share a bit: an entry has one digest and one name.
constexpr std::uint32_t role(Field field) noexcept {
  switch (field) {
    case Field::kDNg:
    case Field::kDNgV2:
      field = Field::kD;
      break;
    case Field::kNNg:
      field = Field::kN;
      break;
    default:
      break;
  }
  return 1U << static_cast<unsigned>(field);
}

std::optional<Template> parse_format(std::string_view format) noexcept {
  Template t;
  std::uint32_t seen = 0;
  for (;;) {
    const std::size_t end = std::min(format.find('|'), format.size());
    const auto* const name = std::ranges::find(kFieldNames, format.substr(0, end));
    if (name == kFieldNames.end()) return std::nullopt;
    const auto field = static_cast<Field>(name - kFieldNames.begin());
    if ((seen & role(field)) != 0) return std::nullopt;
    seen |= role(field);
    t.all[t.num_fields++] = field;
    if (end == format.size()) return t;
    format.remove_prefix(end + 1);
  }
}

// Template names are not hashed: whoever sends a list may write another one before an entry. The
// bytes of an extended attribute must not become the file's digest by that, nor a buffer what no
// rule looks at. So the digest is first and the name second, as in all the kernel's templates, and
// behind them are only fields that rules look at.
bool keeps_places(const Template& t) noexcept {
  const auto fields = t.fields();
  return fields.size() >= 2 && role(fields[0]) == role(Field::kD) &&
         role(fields[1]) == role(Field::kN) && std::ranges::all_of(fields.subspan(2), [](Field f) {
           return f == Field::kSig || f == Field::kBuf;
         });
}

}  // namespace

std::optional<Template> find_template(std::string_view name) noexcept {
  for (const Named& t : kTemplates) {
    if (t.name != name && t.format != name) continue;
    auto found = parse_format(t.format);
    if (found) found->legacy = name == "ima";
    return found;
  }
  const auto own = parse_format(name);
  return own && keeps_places(*own) ? own : std::nullopt;
}

}  // namespace attest::ima
