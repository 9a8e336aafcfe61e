// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/ima_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/ima/boot_aggregate.h"

namespace attest::verify {
namespace {

using crypto::Digest;
using crypto::Hash;
using ima::DigestKind;
using ima::SignatureState;
using policy::AllowedDigest;
using policy::Code;
using policy::ImaSignatures;
using policy::Listed;
using policy::Severity;

constexpr std::string_view kBootAggregate = "boot_aggregate";

bool allows(const std::vector<AllowedDigest>& allowed, const ima::FileDigest& digest) {
  return std::ranges::any_of(allowed, [&](const AllowedDigest& a) {
    return a.algorithm == digest.algorithm && std::ranges::equal(a.value.bytes(), digest.value);
  });
}

bool all_zero(Bytes bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; });
}

// The kernel's keyrings begin with a dot or an underscore; others are those that the policy names
// as keyrings. All else in ima-buf is other data.
bool is_keyring(std::string_view name, const policy::RuntimePolicy& rules) {
  return (!name.empty() && (name.front() == '.' || name.front() == '_')) ||
         rules.keyrings.contains(name) || rules.ignored_keyrings.contains(name);
}

}  // namespace

std::string describe_name(const ima::Entry& entry) { return printable(entry.name); }

std::string describe_digest(const ima::Entry& entry) {
  std::string out = entry.digest.kind == DigestKind::kVerity ? "verity:" : "";
  return out.append(entry.digest.algorithm).append(":").append(to_hex(entry.digest.value));
}

std::optional<Digest> expected_boot_aggregate(const QuotedPcrs& quoted, Hash alg, bool of_eight) {
  const bool eight = of_eight || alg == Hash::kSha1;
  std::array<Digest, 10> pcrs;
  const std::uint32_t count = eight ? 8 : 10;
  for (std::uint32_t pcr = 0; pcr < count; ++pcr) {
    const Digest* value = quoted.find(alg, pcr);
    if (value == nullptr) return std::nullopt;
    pcrs[pcr] = *value;
  }
  const std::span<const Digest> values(pcrs.data(), count);
  return eight ? ima::boot_aggregate_of_eight(alg, values) : ima::boot_aggregate(alg, values);
}

ImaRules::ImaRules(const policy::Policy* policy, const QuotedPcrs& quoted, const ImaPosition* from)
    : policy_(policy != nullptr && policy->ima ? &*policy->ima : nullptr),
      rules_(policy_ != nullptr ? policy_->rules.get() : nullptr),
      allow_sha1_(policy != nullptr && policy->allow_sha1),
      quoted_(quoted),
      from_(from) {
  if (from_ != nullptr) {
    learned_ = from_->keys;
    boot_aggregates_ = from_->boot_aggregates;
  }
  if (rules_ == nullptr) return;
  for (const auto& [key, id] : rules_->verification_keys) keys_.add_key(key, id);
  for (const auto& [key, id] : learned_) keys_.add_key(key, id);
}

void ImaRules::judge_before(policy::Findings& findings) {
  if (from_ == nullptr) return;
  findings_ = &findings;
  for (const ImaPosition::BootAggregate& before : from_->boot_aggregates) {
    ima::Entry entry;
    entry.index = before.index;
    entry.pcr = policy_ != nullptr ? policy_->pcr : 0;
    entry.name = kBootAggregate;
    entry.digest = {DigestKind::kContent, before.algorithm, before.value.bytes()};
    prepare(entry);
    check_boot_aggregate(entry);
  }
  if (from_->violations == 0) return;
  const bool fails = policy_ != nullptr && policy_->violations_fail;
  findings.add({Code::kImaViolation,
                fails ? Severity::kFailure : Severity::kWarning,
                policy::Component::kIma,
                {},
                {},
                {},
                {},
                std::to_string(from_->violations),
                "IMA entries before " + std::to_string(from_->entries) + ": " +
                    std::to_string(from_->violations) + " measurements were invalidated"});
}

bool ImaRules::complete(ImaPosition& position) const {
  if (boot_aggregates_.size() > ImaPosition::kMaxBootAggregates) return false;
  position.boot_aggregates = boot_aggregates_;
  position.keys = learned_;
  return true;
}

void ImaRules::prepare(const ima::Entry& entry) {
  if (rules_ != nullptr) probe_ = rules_->files.probe(entry.name);
}

void ImaRules::midway() {
  if (rules_ != nullptr) rules_->files.touch(probe_);
}

void ImaRules::judge(const ima::Entry& entry, policy::Findings& findings) {
  findings_ = &findings;
  const bool boot_aggregate = ima::is_boot_aggregate(entry);
  if (entry.index == 0 && !boot_aggregate) {
    fail(entry, Code::kImaFirstEntry, std::string(kBootAggregate), describe_name(entry),
         "the list does not begin with boot_aggregate");
  }
  if (entry.violation) {
    judge_violation(entry);
  } else if (!entry.known) {
    return;  // the walk has failed it: no field of it can be read
  } else if (boot_aggregate) {
    judge_boot_aggregate(entry);
  } else if (entry.has_buffer_field && !entry.buffer.empty()) {
    judge_buffer(entry);
  } else {
    judge_file(entry);
  }
}

// Time of measurement, time of use, or open writers: nothing covers the record's text, so no rule
// is applied to it.
void ImaRules::judge_violation(const ima::Entry& entry) {
  const bool fails = policy_ != nullptr && policy_->violations_fail;
  add(entry, Code::kImaViolation, fails ? Severity::kFailure : Severity::kWarning, {}, {},
      "a measurement was invalidated (the unauthenticated text says " + describe_name(entry) + ")");
}

void ImaRules::judge_boot_aggregate(const ima::Entry& entry) {
  const auto same = [&](const ImaPosition::BootAggregate& b) {
    return b.algorithm == entry.digest.algorithm &&
           std::ranges::equal(b.value.bytes(), entry.digest.value);
  };
  // One more than can be carried on says that there were more; a list may have any number.
  if (boot_aggregates_.size() <= ImaPosition::kMaxBootAggregates &&
      std::ranges::none_of(boot_aggregates_, same)) {
    boot_aggregates_.push_back(
        {entry.index, std::string(entry.digest.algorithm), Digest(entry.digest.value)});
  }
  check_boot_aggregate(entry);
}

void ImaRules::check_boot_aggregate(const ima::Entry& entry) {
  const bool listed_here =
      rules_ != nullptr &&
      rules_->files.find(probe_, entry.digest.algorithm, entry.digest.value) == Listed::kYes;
  // Zero: the kernel had no TPM when IMA started. Only a policy that lists just that accepts it.
  if (all_zero(entry.digest.value)) {
    if (!listed_here) {
      fail(entry, Code::kImaBootAggregate, {}, describe_digest(entry),
           "boot_aggregate is zero: the kernel had no TPM when IMA started");
    }
    return;
  }
  const auto alg = crypto::hash_from_name(entry.digest.algorithm);
  if (alg) {
    const bool of_eight = policy_ != nullptr && policy_->boot_aggregate_0_7;
    if (const auto expected = expected_boot_aggregate(quoted_, *alg, of_eight)) {
      if (!std::ranges::equal(expected->bytes(), entry.digest.value)) {
        fail(entry, Code::kImaBootAggregate, to_hex(expected->bytes()), describe_digest(entry),
             "boot_aggregate is not the digest of the quoted boot PCRs");
      }
      return;
    }
  }
  if (listed_here || rules_ == nullptr) return;
  fail(entry, Code::kImaBootAggregate, {}, describe_digest(entry),
       "boot_aggregate can not be computed from the quote, and the policy does not list it");
}

bool ImaRules::hashes_buffer(const ima::Entry& entry) {
  const auto alg = crypto::hash_from_name(entry.digest.algorithm);
  if (alg) {
    crypto::Hasher hasher(*alg);
    if (std::ranges::equal(hasher(entry.buffer).bytes(), entry.digest.value)) return true;
  }
  fail(entry, Code::kImaBuffer, {}, describe_digest(entry),
       describe_name(entry) + ": its digest is not the digest of its buffer");
  return false;
}

void ImaRules::judge_buffer(const ima::Entry& entry) {
  if (!hashes_buffer(entry) || rules_ == nullptr) return;
  if (is_keyring(entry.name, *rules_)) {
    judge_key(entry);
    return;
  }
  const auto at = rules_->buffers.find(entry.name);
  const bool in_buffers = at != rules_->buffers.end() && allows(at->second, entry.digest);
  // A flat allowlist has no other place for them than beside the files.
  const bool in_files =
      rules_->files.find(probe_, entry.digest.algorithm, entry.digest.value) == Listed::kYes;
  if (in_buffers || in_files) return;
  fail(entry, Code::kImaBuffer, {}, describe_digest(entry),
       "buffer " + describe_name(entry) + " has a digest that the policy does not list");
}

// A key that was loaded into a keyring. Once its entry is validated, the key may verify the
// signatures of later entries; a key of an ignored keyring never does.
void ImaRules::judge_key(const ima::Entry& entry) {
  if (rules_->ignored_keyrings.contains(entry.name) || rules_->ignored_keyrings.contains("*")) {
    return;
  }
  const auto at = rules_->keyrings.find(entry.name);
  if (at == rules_->keyrings.end() || !allows(at->second, entry.digest)) {
    fail(entry, Code::kImaKeyring, {}, describe_digest(entry),
         "a key that the policy does not list was loaded into keyring " + describe_name(entry));
    return;
  }
  try {
    const std::size_t known = keys_.size();
    auto key = keys_.add(entry.buffer);
    if (keys_.size() != known) learned_.push_back(std::move(key));
  } catch (const ParseError&) {
    add(entry, Code::kImaKeyring, Severity::kWarning, {}, {},
        "what was loaded into keyring " + describe_name(entry) +
            " is listed, and is no key that libattest can verify signatures with");
  }
}

// Order matters: a signature that is present and wrong fails the file before anything can let it
// pass; then what is excluded passes; then a signature or a listed digest.
void ImaRules::judge_file(const ima::Entry& entry) {
  if (rules_ == nullptr) return;
  const ima::SignatureCheck signature =
      entry.signature.empty() ? ima::SignatureCheck{} : ima::check_signature(entry, keys_);
  if (signature.state == SignatureState::kBad || signature.state == SignatureState::kMalformed) {
    fail(entry, Code::kImaSignature, {}, {},
         describe_name(entry) + " has a bad signature: " + signature.why);
    return;
  }
  // A signature is worth what the digest under it is.
  const bool weak = entry.digest.algorithm == "sha1" && !allow_sha1_;
  const bool signed_well = signature.state == SignatureState::kGood && !weak;
  // The common case first: a listed file needs no pattern to be tried.
  const Listed found = entry.digest.kind == DigestKind::kVerity && !policy_->verity
                           ? Listed::kNo
                           : rules_->files.find(probe_, entry.digest.algorithm, entry.digest.value);
  const bool is_listed = found == Listed::kYes;
  switch (policy_->signatures) {
    case ImaSignatures::kOptional:
      if (is_listed || signed_well) return;
      break;
    case ImaSignatures::kRequired:
      if (signed_well) return;
      break;
    case ImaSignatures::kBoth:
      if (is_listed && (signed_well || signature.state == SignatureState::kNone)) return;
      break;
  }
  if (rules_->excludes.match(entry.name)) return;
  if (policy_->signatures == ImaSignatures::kRequired ||
      (policy_->signatures == ImaSignatures::kBoth && is_listed)) {
    fail(entry, Code::kImaUnsigned, {}, describe_digest(entry),
         describe_name(entry) + " has no signature by a key that the policy knows");
    return;
  }
  if (findings_->full()) {
    findings_->drop(Severity::kFailure);
    return;
  }
  if (found == Listed::kOtherDigest) {
    fail(entry, Code::kImaDigest, to_hex(rules_->files.first_digest(entry.name)),
         describe_digest(entry),
         describe_name(entry) + " has digest " + describe_digest(entry) +
             " which the allowlist does not list for it");
  } else {
    fail(entry, Code::kImaNotListed, {}, describe_digest(entry),
         describe_name(entry) + " has digest " + describe_digest(entry) +
             " which the allowlist does not list");
  }
}

void ImaRules::fail(const ima::Entry& entry, Code code, std::string expected, std::string found,
                    const std::string& message) {
  add(entry, code, Severity::kFailure, std::move(expected), std::move(found), message);
}

void ImaRules::add(const ima::Entry& entry, Code code, Severity severity, std::string expected,
                   std::string found, const std::string& message) {
  findings_->add({code, severity, policy::Component::kIma, entry.pcr, entry.index, entry.offset,
                  std::move(expected), std::move(found),
                  "IMA entry " + std::to_string(entry.index) + ": " + message});
}

}  // namespace attest::verify
