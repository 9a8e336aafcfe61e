// SPDX-License-Identifier: Apache-2.0

// add_oat_whitelist: records of OpenAttestation's WLMService (`oat_mle`, `oat_pcrwhitelist`) and of
// its hosts (`oat_host`).

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "libattest/base/text.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/policy_json.h"
#include "libattest/tpm/pcr.h"

namespace attest::policy {
namespace {

constexpr std::string_view kFormat = "OAT whitelist";
constexpr std::size_t kMaxSize = std::size_t{1} << 20U;
constexpr crypto::Hash kBank = crypto::Hash::kSha1;  // OAT knew no other

enum class MleType : std::uint8_t { kBios, kVmm };

// How OAT splits the PCRs between the two MLEs of a host.
struct TypeRules {
  std::string_view name;
  std::uint32_t first_pcr;
  std::uint32_t last_pcr;
  std::string_view not_its_pcr;
};
constexpr TypeRules kBiosRules{"BIOS", 0, 7, "is not the number of a BIOS's PCR (0 to 7)"};
constexpr TypeRules kVmmRules{"VMM", 17, 19, "is not the number of a VMM's PCR (17 to 19)"};

const TypeRules& rules_of(MleType type) noexcept {
  return type == MleType::kBios ? kBiosRules : kVmmRules;
}

// What OAT tells MLEs apart by. A BIOS belongs to an OEM, a VMM to an operating system.
struct MleId {
  MleType type = MleType::kBios;
  std::string name, version;
  std::string owner, owner_version;  // an OEM has no version
  auto operator<=>(const MleId&) const = default;
};

struct Mle {
  bool described = false;  // by a record of its own, not only by whitelist entries
  std::map<std::uint32_t, crypto::Digest> pcrs;
};

// The MLEs that a host names.
struct Host {
  MleId bios, vmm;
};

struct Records {
  std::map<MleId, Mle> mles;
  std::optional<Host> host;
};

// OAT's clients write "" for what does not apply.
std::string_view text_or_empty(const json::Value& record, std::string_view key) {
  const auto value = record.find(key);
  return value ? value->string() : std::string_view();
}

std::string read_name(const json::Value& record, std::string_view key) {
  const json::Value value = record.at(key);
  if (value.string().empty()) value.fail("is empty");
  return std::string(value.string());
}

// How a kind of record calls the parts of an MleId.
struct IdKeys {
  std::string_view name, version, oem, os, os_version;
};
constexpr IdKeys kMleKeys{"Name", "Version", "OemName", "OsName", "OsVersion"};
constexpr IdKeys kEntryKeys{"mleName", "mleVersion", "oemName", "osName", "osVersion"};

MleId read_id(const json::Value& record, const IdKeys& keys) {
  const std::string_view oem = text_or_empty(record, keys.oem);
  const std::string_view os = text_or_empty(record, keys.os);
  const std::string_view os_version = text_or_empty(record, keys.os_version);
  if (oem.empty() == os.empty()) {
    record.fail("belongs either to an OEM (a BIOS) or to an operating system (a VMM)");
  }
  if (os.empty() != os_version.empty()) {
    record.fail("names an operating system without its version, or a version without it");
  }
  MleId id;
  id.type = os.empty() ? MleType::kBios : MleType::kVmm;
  id.name = read_name(record, keys.name);
  id.version = read_name(record, keys.version);
  id.owner = os.empty() ? oem : os;
  id.owner_version = os_version;
  return id;
}

void read_pcr(Mle& mle, MleType type, const json::Value& name, const json::Value& value) {
  const TypeRules& rules = rules_of(type);
  const auto pcr = parse_decimal(name.string(), rules.last_pcr);
  if (!pcr || *pcr < rules.first_pcr) name.fail(rules.not_its_pcr);
  const auto number = static_cast<std::uint32_t>(*pcr);
  const crypto::Digest digest = read_pcr_value(value, kBank);
  // PC Client Platform TPM Profile 1.05, section 4.6.2. A whitelist of such a value would be one of
  // any machine.
  if (tpm::shows_no_launch(number, digest)) {
    value.fail("is what this PCR has without a measured launch, whatever was started");
  }
  // A second value would be another MLE's: a machine must have all values of one.
  if (!mle.pcrs.emplace(number, digest).second) name.fail("this MLE has the PCR twice");
}

MleType read_type(const json::Value& record) {
  const json::Value type = record.at("MLE_Type");
  if (type.string() == kBiosRules.name) return MleType::kBios;
  if (type.string() == kVmmRules.name) return MleType::kVmm;
  type.fail("is neither \"BIOS\" nor \"VMM\"");
}

void read_manifest(Mle& mle, MleType type, const json::Value& manifest) {
  manifest.only({"Name", "Value"});
  read_pcr(mle, type, manifest.at("Name"), manifest.at("Value"));
}

// OAT answers with an object where a list has one element.
template <typename Read>
void for_each(const json::Value& list, Read read) {
  if (list.is_object()) return read(list);
  for (std::size_t i = 0; i < list.size(); ++i) read(list.at(i));
}

void read_mle(Records& out, const json::Value& record) {
  record.only({"Name", "Version", "OsName", "OsVersion", "OemName", "Attestation_Type", "MLE_Type",
               "Description", "MLE_Manifests"});
  const MleType type = read_type(record);
  const MleId id = read_id(record, kMleKeys);
  if (id.type != type) {
    record.fail("a BIOS belongs to an OEM (OemName), a VMM to an operating system (OsName)");
  }
  const json::Value how = record.at("Attestation_Type");
  if (how.string() != "PCR") how.fail("is not \"PCR\": values of PCRs are all that is known");
  (void)text_or_empty(record, "Description");
  Mle& mle = out.mles[id];
  if (std::exchange(mle.described, true)) record.fail("this MLE is there twice");
  if (const auto manifests = record.find("MLE_Manifests")) {
    for_each(*manifests, [&](const json::Value& one) { read_manifest(mle, type, one); });
  }
}

void read_entry(Records& out, const json::Value& record) {
  record.only({"pcrName", "pcrDigest", "mleName", "mleVersion", "osName", "osVersion", "oemName"});
  const MleId id = read_id(record, kEntryKeys);
  read_pcr(out.mles[id], id.type, record.at("pcrName"), record.at("pcrDigest"));
}

void read_host(Records& out, const json::Value& record) {
  record.only({"HostName", "IPAddress", "Port", "BIOS_Name", "BIOS_Version", "BIOS_Oem", "VMM_Name",
               "VMM_Version", "VMM_OSName", "VMM_OSVersion", "Email", "AddOn_Connection_String",
               "Description"});
  if (out.host) record.fail("a second host: a policy is of one");
  (void)read_name(record, "HostName");
  out.host = Host{{MleType::kBios, read_name(record, "BIOS_Name"),
                   read_name(record, "BIOS_Version"), read_name(record, "BIOS_Oem"), ""},
                  {MleType::kVmm, read_name(record, "VMM_Name"), read_name(record, "VMM_Version"),
                   read_name(record, "VMM_OSName"), read_name(record, "VMM_OSVersion")}};
}

void read_record(Records& out, const json::Value& record) {
  if (record.find("HostName")) return read_host(out, record);
  if (record.find("pcrName")) return read_entry(out, record);
  if (const auto answer = record.find("mleBean")) {  // of GET mles
    record.only({"mleBean"});
    return for_each(*answer, [&](const json::Value& one) { read_mle(out, one); });
  }
  read_mle(out, record);
}

// The host's MLE of that type, or null where the document has none and no host that names one.
const Mle* choose(const Records& records, MleType type, const json::Value& root) {
  const std::string name(rules_of(type).name);
  if (records.host) {
    const MleId& named = type == MleType::kBios ? records.host->bios : records.host->vmm;
    const auto found = records.mles.find(named);
    if (found == records.mles.end()) root.fail("has not the " + name + " MLE that the host names");
    return &found->second;
  }
  const Mle* chosen = nullptr;
  for (const auto& [id, mle] : records.mles) {
    if (id.type != type) continue;
    if (chosen != nullptr) {
      root.fail("has two " + name +
                " MLEs, and no host that names one: values of two MLEs are not "
                "mixed");
    }
    chosen = &mle;
  }
  return chosen;
}

// The values of one BIOS and one VMM, which a machine must have all.
std::map<std::uint32_t, crypto::Digest> values_of(const Records& records, const json::Value& root) {
  std::map<std::uint32_t, crypto::Digest> out;
  for (const MleType type : {MleType::kBios, MleType::kVmm}) {
    const Mle* mle = choose(records, type, root);
    if (mle == nullptr) continue;
    if (mle->pcrs.empty()) {
      root.fail("has a " + std::string(rules_of(type).name) + " MLE without a PCR");
    }
    out.insert(mle->pcrs.begin(), mle->pcrs.end());
  }
  if (out.empty()) root.fail("has no MLE");
  return out;
}

}  // namespace

std::string_view why_no_oat_whitelist(const Policy& policy) noexcept {
  if (!policy.allow_sha1) return "OAT's values are SHA-1, which the policy does not allow";
  if (!policy.pcrs.empty()) {
    return "the policy has reference values already: two sources are not merged";
  }
  const EventLogPolicy& log = policy.event_log;
  if (policy.bank != kBank && !(log.events.empty() && log.known_events.empty())) {
    return "OAT's values are of bank sha1, and the policy's rules of another";
  }
  return {};
}

void add_oat_whitelist(Policy& policy, std::string_view json) {
  const json::Document document = json::Document::parse(json, kFormat, kMaxSize);
  const json::Value root = document.root();
  if (const auto why = why_no_oat_whitelist(policy); !why.empty()) root.fail(why);
  Records records;
  for_each(root, [&](const json::Value& one) { read_record(records, one); });
  Policy next = policy;
  next.bank = kBank;
  for (const auto& [pcr, value] : values_of(records, root)) next.pcrs[pcr] = {value};
  next.launch.required = next.launch.required || next.pcrs.contains(tpm::kLaunchPcr);
  check_consistent(next);
  policy = std::move(next);
}

}  // namespace attest::policy
