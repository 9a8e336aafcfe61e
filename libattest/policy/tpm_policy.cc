// SPDX-License-Identifier: Apache-2.0

// add_keylime_tpm_policy: {"17": ["hex", "hex"], "22": "hex", "mask": "0x420000"}.

#include <array>
#include <string>
#include <utility>

#include "libattest/base/error.h"
#include "libattest/base/hex.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/policy_json.h"

namespace attest::policy {
namespace {

constexpr std::string_view kFormat = "TPM policy";
constexpr std::size_t kMaxSize = std::size_t{1} << 20U;

// What Keylime's client adds to the mask of the PCRs that the policy names: PCR 10 for IMA, 0-9 and
// 11-15 for measured boot.
constexpr std::uint32_t kAddedByKeylime = 0xffff;

std::uint32_t read_mask(const json::Value& value) {
  const std::string_view text = value.string();
  const auto fail = [&] { value.fail("is not 0x and up to eight hexadecimal digits"); };
  if (!text.starts_with("0x") || text.size() < 3 || text.size() > 10) fail();
  std::string digits(text.substr(2));
  digits.insert(0, 8 - digits.size(), '0');
  std::array<std::uint8_t, 4> bytes{};
  if (!from_hex(digits, bytes)) fail();
  return Reader(bytes, kFormat).u32be("mask");
}

void check_mask(const json::Value& value, std::uint32_t named) {
  const std::uint32_t mask = read_mask(value);
  if ((named & ~mask) != 0) value.fail("leaves out a PCR that the policy names");
  if ((mask & ~named & ~kAddedByKeylime) != 0) {
    value.fail("has a PCR above 15 that the policy names no value for");
  }
}

std::vector<crypto::Digest> read_values(const json::Value& values, crypto::Hash bank) {
  if (values.is_string()) return {read_pcr_value(values, bank)};
  return read_pcr_values(values, bank);
}

}  // namespace

void add_keylime_tpm_policy(Policy& policy, std::string_view json) {
  const json::Document document = json::Document::parse(json, kFormat, kMaxSize);
  const json::Value root = document.root();
  Policy next = policy;
  std::uint32_t named = 0;
  for (const auto& [key, values] : root.members()) {
    if (key == "mask") continue;
    const std::uint32_t pcr = read_pcr_key(key, values);
    if (pcr == 10) values.fail("PCR 10 is IMA's, whose value no policy can know");
    named |= std::uint32_t{1} << pcr;
    next.pcrs[pcr] = read_values(values, policy.bank);
  }
  if (const auto mask = root.find("mask")) check_mask(*mask, named);
  if (!policy.pcrs.empty() && named != 0) {
    root.fail("the appraisal policy has reference values already: two sets are not merged");
  }
  check_consistent(next);
  policy = std::move(next);
}

}  // namespace attest::policy
