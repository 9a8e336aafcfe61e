// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_doctor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "libattest/base/error.h"
#include "libattest/base/pem.h"
#include "libattest/base/text.h"
#include "libattest/crypto/certificate.h"

namespace attest::net {
namespace {

struct Setting {
  std::string section;
  std::string key;
  std::string value;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Keylime writes some values in quotes.
std::string_view unquoted(std::string_view value) {
  const bool quotes = value.size() >= 2 && value.front() == value.back() &&
                      (value.front() == '"' || value.front() == '\'');
  return quotes ? value.substr(1, value.size() - 2) : value;
}

// What Python's configparser reads: sections, "key = value" or "key: value", # and ; comments.
std::vector<Setting> settings_of(std::string_view text) {
  std::vector<Setting> out;
  std::string section;
  Lines lines(text);
  while (const auto raw = lines.next()) {
    const std::string_view line = strip(*raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[' && line.back() == ']') {
      section = lower(line.substr(1, line.size() - 2));
      continue;
    }
    const std::size_t equals = line.find_first_of("=:");
    if (equals == std::string_view::npos) continue;
    out.push_back({section, lower(strip(line.substr(0, equals))),
                   std::string(unquoted(strip(line.substr(equals + 1))))});
  }
  return out;
}

std::string named(const Setting& setting) {
  return "[" + printable(setting.section) + "] " + printable(setting.key) + " = " +
         printable(setting.value);
}

bool is_no(const std::string& value) {
  const std::string word = lower(value);
  return word.empty() || word == "false" || word == "no" || word == "off" || word == "0" ||
         word == "[]" || word == "none";
}

bool is_any_address(const std::string& value) {
  return value.empty() || value == "0.0.0.0" || value == "::" || value == "*" || value == "[::]";
}

// The settings that `concerns` takes; bad with the first that is not `good`, unknown without any.
template <typename Concerns, typename Good>
HealthCheck judge(std::string id, const std::vector<Setting>& settings, const Concerns& concerns,
                  const Good& good, const std::string& wanted) {
  HealthCheck out{std::move(id), Health::kUnknown, wanted + ": the configuration does not say"};
  if (settings.empty()) {
    out.message = wanted + ": the network does not show it; look into Keylime's configuration";
  }
  std::string seen;
  for (const Setting& setting : settings) {
    if (!concerns(setting)) continue;
    if (!good(setting.value)) {
      return {std::move(out.id), Health::kBad, wanted + ": " + named(setting)};
    }
    seen += (seen.empty() ? "" : ", ") + named(setting);
  }
  if (!seen.empty()) {
    out.health = Health::kOk;
    out.message = wanted + ": " + seen;
  }
  return out;
}

std::string date_text(std::int64_t seconds) {
  using namespace std::chrono;
  const auto day = floor<days>(sys_seconds(std::chrono::seconds(seconds)));
  const year_month_day date(day);
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

// The first block of a PEM text, with nothing before or after it.
std::string_view first_block(std::string_view pem) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  const std::size_t begin = pem.find("-----BEGIN CERTIFICATE-----");
  const std::size_t end = pem.find(kEnd, begin == std::string_view::npos ? 0 : begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) return {};
  return pem.substr(begin, end + kEnd.size() - begin);
}

}  // namespace

std::string_view health_name(Health health) noexcept {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kWarning:
      return "warning";
    case Health::kBad:
      return "bad";
    case Health::kUnknown:
      return "unknown";
  }
  return "";
}

HealthCheck check_dates(std::string_view id, std::string_view pem, std::int64_t now) {
  constexpr std::int64_t kSoon = std::int64_t{30} * 24 * 3600;
  HealthCheck out{std::string(id), Health::kBad, ""};
  try {
    const crypto::Validity valid =
        crypto::Certificate::from_der(parse_pem(first_block(pem)).data).validity();
    out.message = "valid from " + date_text(valid.not_before) + " to " + date_text(valid.not_after);
    if (now < valid.not_before) {
      out.message += ": not yet valid";
    } else if (now > valid.not_after) {
      out.message += ": expired";
    } else if (valid.not_after - now < kSoon) {
      out.health = Health::kWarning;
      out.message += ": expires within 30 days";
    } else {
      out.health = Health::kOk;
    }
  } catch (const ParseError& e) {
    out.message = e.what();
  }
  return out;
}

std::vector<HealthCheck> check_configuration(std::string_view text) {
  const std::vector<Setting> settings = settings_of(text);
  std::vector<HealthCheck> out;
  out.push_back(judge(
      "revocation", settings,
      [](const Setting& s) {
        return s.key == "revocation_notifier" || s.key == "revocation_notifiers" ||
               s.key == "enabled_revocation_notifications";
      },
      is_no, "the revocation service is off"));
  out.push_back(judge(
      "ek-certificate-check", settings,
      [](const Setting& s) { return s.key == "check_ek_cert" || s.key == "require_ek_cert"; },
      is_no, "Keylime's own check of EK certificates is off"));
  out.push_back(judge(
      "addresses", settings,
      [](const Setting& s) {
        return ((s.section == "verifier" || s.section == "registrar") && s.key == "ip") ||
               (s.section == "cloud_verifier" && s.key == "cloudverifier_ip") ||
               (s.section == "registrar" && s.key == "registrar_ip");
      },
      [](const std::string& value) { return !is_any_address(value); },
      "verifier and registrar listen on one address each, not on 0.0.0.0"));
  return out;
}

}  // namespace attest::net
