// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/secure_boot.h"

#include <algorithm>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "libattest/eventlog/actions.h"
#include "libattest/eventlog/event_data.h"
#include "libattest/eventlog/types.h"

namespace attest::eventlog {
namespace {

constexpr std::uint32_t kDriverPcr = 2;
constexpr std::uint32_t kSecureBootPcr = 7;
constexpr std::size_t kMaxReasons = 32;

class Extraction {
 public:
  Extraction(const Log& log, const Checked& checked) : log_(log), checked_(checked) {}

  SecureBootState run() {
    for (const Event& e : log_.events()) {
      if (e.pcr == kDriverPcr && e.type == kEvSeparator) separator(e, num_driver_separators_);
      if (e.pcr == kSecureBootPcr) event(e);
    }
    conclude();
    return std::move(out_);
  }

 private:
  void doubt(std::string why) {
    doubted_ = true;
    if (out_.reasons.size() < kMaxReasons) out_.reasons.push_back(std::move(why));
  }
  void doubt(const Event& e, std::string_view why) {
    doubt("event " + std::to_string(e.index) + ": " + std::string(why));
  }

  // An event is looked into only where its digest covers its data.
  void event(const Event& e) {
    const Coverage coverage = checked_.coverage[e.index];
    if (e.type == kEvSeparator) return separator(e, num_separators_);
    const bool shim = coverage == Coverage::kPartly && e.type == kEvEfiVariableAuthority;
    if (coverage != Coverage::kCovered && !shim) {
      return doubt(e, "the digest in PCR 7 does not cover the event's data");
    }
    try {
      switch (e.type) {
        case kEvEfiAction:
          return action(e);
        case kEvEfiVariableDriverConfig:
          return variable(e);
        case kEvEfiVariableAuthority:
          return authority(e);
        default:
          return doubt(e, "PCR 7 has no events of type " + type_name(e.type));
      }
    } catch (const ParseError& error) {
      doubt(e, error.what());
    }
  }

  // 00000000 or ffffffff, which check() found to be what the digest says.
  void separator(const Event& e, std::size_t& count) {
    const bool good = checked_.coverage[e.index] == Coverage::kCovered && e.data.size() == 4 &&
                      (e.data[0] == 0x00 || e.data[0] == 0xff) &&
                      std::ranges::all_of(e.data, [&](std::uint8_t b) { return b == e.data[0]; });
    if (!good) doubt(e, "a separator that is none, or that reports an error");
    if (++count == 2) doubt(e, "a second separator in PCR " + std::to_string(e.pcr));
  }

  void action(const Event& e) {
    if (as_text(e.data) == kDmaProtectionDisabled) {
      out_.dma_protection_disabled = true;
    } else if (as_text(e.data) == kDebugMode) {
      out_.debugger = true;
      doubt(e, "a debugger was active");
    } else {
      doubt(e, "an action that PCR 7 does not have");
    }
  }

  void variable(const Event& e) {
    const VariableData v = parse_variable(e.data);
    std::string name = printable(utf8_of_utf16(v.name));
    // Newer shims log their built-in database as a variable, when they use it.
    const bool late = num_separators_ != 0 && !v.is(kImageSecurityDatabase, "vendor_db");
    if (late) doubt(e, "variable \"" + name + "\" after the separator");
    // GUID and name are neighbours only in the structure: compared as one key.
    std::string key(as_text(v.guid));
    key.append(as_text(v.name));
    if (std::ranges::find(seen_, key) != seen_.end()) {
      return doubt(e, "variable \"" + name + "\" a second time");
    }
    if (seen_.size() == kMaxVariables) return doubt(e, "more than 64 variables");
    seen_.push_back(std::move(key));
    if (v.is(kEfiGlobalVariable, "SecureBoot")) return secure_boot_variable(e, v);
    if (v.is(kEfiGlobalVariable, "PK")) return signatures(v, out_.pk);
    if (v.is(kEfiGlobalVariable, "KEK")) return signatures(v, out_.kek);
    if (v.is(kImageSecurityDatabase, "db")) return signatures(v, out_.db);
    if (v.is(kImageSecurityDatabase, "dbx")) return signatures(v, out_.dbx);
    out_.other_variables.push_back(std::move(name));
  }

  void secure_boot_variable(const Event& e, const VariableData& v) {
    if (v.data.size() != 1 || v.data[0] > 1) return doubt(e, "SecureBoot is neither 0 nor 1");
    claimed_ = v.data[0] == 1 ? SecureBoot::kEnabled : SecureBoot::kDisabled;
  }

  void signatures(const VariableData& v, SignatureSet& set) {
    set.present = true;
    SignatureLists lists(v.data);
    while (const std::optional<Signature> s = lists.next()) {
      ++set.count;
      switch (s->kind) {
        case SignatureKind::kX509:
          set.certificates.push_back(sha256(s->data));
          break;
        case SignatureKind::kSha256:
          set.hashes.push_back("sha256:" + to_hex(s->data));
          break;
        case SignatureKind::kSha384:
          set.hashes.push_back("sha384:" + to_hex(s->data));
          break;
        case SignatureKind::kSha512:
          set.hashes.push_back("sha512:" + to_hex(s->data));
          break;
        case SignatureKind::kOther:
          break;
      }
    }
  }

  // VariableData is one EFI_SIGNATURE_DATA: an owner, then a certificate or an image's hash.
  void authority(const Event& e) {
    const bool trailing = checked_.coverage[e.index] == Coverage::kPartly;
    const VariableData v = trailing ? parse_shim_authority(e.data) : parse_variable(e.data);
    Authority a;
    a.event = e.index;
    a.variable = printable(utf8_of_utf16(v.name));
    a.before_separator = num_separators_ == 0;
    const bool no_signature = v.is(kShimLock, "SbatLevel") || v.is(kShimLock, "MokListTrusted");
    if (!no_signature) {
      // shim before 15.4 leaves the owner away.
      const bool owned = !is_der_certificate(v.data) && v.data.size() > sizeof(Guid);
      const Bytes signature = owned ? v.data.subspan(sizeof(Guid)) : v.data;
      if (is_der_certificate(signature)) {
        a.certificate = sha256(signature);
      } else {
        a.hash = to_hex(signature.first(std::min(signature.size(), crypto::kMaxDigestSize)));
      }
      vouched_ = true;
    }
    out_.authorities.push_back(std::move(a));
  }

  void conclude() {
    if (num_separators_ == 0) doubt("PCR 7 has no separator");
    if (num_driver_separators_ == 0) doubt("PCR 2 has no separator");
    if (claimed_ == SecureBoot::kUnknown) doubt("PCR 7 has no variable SecureBoot");
    if (claimed_ == SecureBoot::kEnabled) {
      if (out_.pk.count == 0) doubt("Secure Boot is on and PK is empty");
      if (out_.kek.count == 0) doubt("Secure Boot is on and KEK is empty");
      if (out_.db.count == 0) doubt("Secure Boot is on and db is empty");
      if (!vouched_) doubt("Secure Boot is on and no authority vouched for anything");
    }
    if (!doubted_) out_.state = claimed_;
  }

  std::string sha256(Bytes data) { return to_hex(sha256_(data).bytes()); }

  static constexpr std::size_t kMaxVariables = 64;

  const Log& log_;
  const Checked& checked_;
  SecureBootState out_;
  SecureBoot claimed_ = SecureBoot::kUnknown;
  bool doubted_ = false;
  bool vouched_ = false;
  std::size_t num_separators_ = 0;
  std::size_t num_driver_separators_ = 0;
  std::vector<std::string> seen_;  // variables
  crypto::Hasher sha256_{crypto::Hash::kSha256};
};

}  // namespace

std::string_view name_of(SecureBoot state) noexcept {
  switch (state) {
    case SecureBoot::kUnknown:
      return "unknown";
    case SecureBoot::kDisabled:
      return "disabled";
    case SecureBoot::kEnabled:
      return "enabled";
  }
  return "unknown";
}

SecureBootState secure_boot(const Log& log, const Checked& checked) {
  return Extraction(log, checked).run();
}

}  // namespace attest::eventlog
