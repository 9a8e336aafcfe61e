// SPDX-License-Identifier: Apache-2.0

// What the fields of a measurement's template are. Linux: security/integrity/ima/ima_template.c.

#ifndef LIBATTEST_IMA_TEMPLATE_H_
#define LIBATTEST_IMA_TEMPLATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace attest::ima {

inline constexpr std::string_view kListFormatName = "IMA list";
// A record's template name or format string: 15 fields of the longest name fit.
inline constexpr std::size_t kMaxTemplateName = 255;
inline constexpr std::size_t kMaxTemplateData = std::size_t{16} << 20U;
// IMA_EVENT_NAME_LEN_MAX: of template "ima" and of field "n".
inline constexpr std::size_t kMaxEventName = 255;

enum class Field : std::uint8_t {
  kD,
  kDNg,
  kDNgV2,
  kN,
  kNNg,
  kSig,
  kBuf,
  kDModsig,
  kModsig,
  kEvmSig,
  kXattrNames,
  kXattrLengths,
  kXattrValues,
  kIuid,
  kIgid,
  kImode,
};
// In the order of Field.
inline constexpr std::array<std::string_view, 16> kFieldNames{
    "d",           "d-ng",     "d-ngv2", "n",      "n-ng",       "sig",
    "buf",         "d-modsig", "modsig", "evmsig", "xattrnames", "xattrlengths",
    "xattrvalues", "iuid",     "igid",   "imode"};
// The kernel's field id: "d-ng".
constexpr std::string_view name_of(Field field) noexcept {
  return kFieldNames[static_cast<std::size_t>(field)];
}

struct Template {
  std::array<Field, kFieldNames.size()> all{};  // none stands twice: there is room for all
  std::size_t num_fields = 0;
  // Template "ima", whose fields have no lengths and whose name is padded for hashing.
  bool legacy = false;

  std::span<const Field> fields() const noexcept { return {all.data(), num_fields}; }
};

// By a template's name, or by a format string that stands in its place ("d-ng|n-ng|sig"): one of
// the kernel's own templates', or a digest, a name, and behind them `sig`, `buf` or both. Nothing
// for any other: a list's sender could let one field stand for another with it.
std::optional<Template> find_template(std::string_view name) noexcept;

// Remembers the template that was asked for last: lists rarely change it.
class TemplateCache {
 public:
  // Null where find_template has nothing. Valid until the next call.
  const Template* find(std::string_view name) {
    if (name != name_) {
      found_ = find_template(name);
      name_ = name;
    }
    return found_ ? &*found_ : nullptr;
  }

 private:
  std::string name_;  // never a name: templates have one
  std::optional<Template> found_;
};

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_TEMPLATE_H_
