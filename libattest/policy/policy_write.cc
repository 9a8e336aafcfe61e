// SPDX-License-Identifier: Apache-2.0

// to_json: the native JSON of a policy.

#include <string>

#include "libattest/base/hex.h"
#include "libattest/json/writer.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/runtime_policy_json.h"

namespace attest::policy {
namespace {

std::string_view name_of(ImaSignatures signatures) noexcept {
  switch (signatures) {
    case ImaSignatures::kOptional:
      return "optional";
    case ImaSignatures::kRequired:
      return "required";
    case ImaSignatures::kBoth:
      return "both";
  }
  return {};
}

void write_ak(json::Writer& w, const KeyPolicy& ak) {
  w.key("ak").begin_object();
  if (!ak.names.empty()) {
    w.key("names").begin_array();
    for (const auto& name : ak.names) w.value(to_hex(name));
    w.end_array();
  }
  if (!ak.keys.empty()) {
    w.key("keys").begin_array();
    for (const crypto::Digest& key : ak.keys) w.value(to_hex(key.bytes()));
    w.end_array();
  }
  w.member("attributes", ak.attributes_required ? "required" : "reported");
  w.member("binding", ak.binding_required ? "required" : "vouched");
  w.end_object();
}

void write_pcr_lists(json::Writer& w, std::string_view name,
                     const std::map<std::uint32_t, std::vector<crypto::Digest>>& lists) {
  w.key(name).begin_object();
  for (const auto& [pcr, values] : lists) {
    w.key(std::to_string(pcr)).begin_array();
    for (const crypto::Digest& value : values) w.value(to_hex(value.bytes()));
    w.end_array();
  }
  w.end_object();
}

void write_known_events(json::Writer& w,
                        const std::map<std::uint32_t, std::vector<KnownEvent>>& lists) {
  w.key("known_events").begin_object();
  for (const auto& [pcr, events] : lists) {
    w.key(std::to_string(pcr)).begin_array();
    for (const KnownEvent& event : events) {
      w.begin_object();
      w.member("type", event.type);
      w.member("digest", to_hex(event.digest.bytes()));
      w.member("description", event.description);
      w.end_object();
    }
    w.end_array();
  }
  w.end_object();
}

void write_event_log(json::Writer& w, const EventLogPolicy& log) {
  w.key("event_log").begin_object();
  w.member("required", log.required);
  w.key("pcrs").begin_array();
  for (const std::uint32_t pcr : log.pcrs) w.value(pcr);
  w.end_array();
  write_pcr_lists(w, "events", log.events);
  write_known_events(w, log.known_events);
  w.end_object();
}

void write_launch(json::Writer& w, const LaunchPolicy& launch) {
  w.key("launch").begin_object();
  w.member("required", launch.required);
  w.member("log_required", launch.log_required);
  w.end_object();
}

void write_ima(json::Writer& w, const ImaPolicy& ima) {
  w.key("ima").begin_object();
  w.member("required", ima.required);
  w.member("pcr", ima.pcr);
  w.member("digest", policy::name_of(ima.digest));
  w.member("signatures", name_of(ima.signatures));
  w.member("max_unverified_tail", ima.max_unverified_tail);
  w.member("violations", ima.violations_fail ? "fail" : "report");
  w.member("boot_aggregate", ima.boot_aggregate_0_7 ? "0-7" : "0-9");
  w.member("verity", ima.verity);
  w.member("allow_empty", ima.allow_empty);
  if (ima.rules) {
    // A pattern that matches every path is read again only where that is allowed.
    w.member("allow_match_all", ima.rules->excludes.match(""));
    w.key("runtime_policy");
    write_runtime_policy(w, *ima.rules);
  }
  w.end_object();
}

}  // namespace

std::string to_json(const Policy& policy) {
  json::Writer w(json::Writer::Style::kIndented);
  w.begin_object();
  w.member("version", std::uint32_t{1});
  w.member("bank", crypto::hash_name(policy.bank));
  w.member("allow_sha1", policy.allow_sha1);
  write_ak(w, policy.ak);
  write_pcr_lists(w, "pcrs", policy.pcrs);
  write_event_log(w, policy.event_log);
  write_launch(w, policy.launch);
  if (policy.ima) write_ima(w, *policy.ima);
  w.key("clock").begin_object();
  w.member("require_safe", policy.clock.require_safe);
  w.end_object();
  w.end_object();
  return w.take();
}

}  // namespace attest::policy
