// SPDX-License-Identifier: Apache-2.0

// Target: what the OAT client reads of an answer (net/oat_answer.h) and of a time (net/oat_time.h).
// Property: a host has a verdict only with a time that is not after now; one more entry that says
// "untrusted" leaves it trusted never; the order in which hosts are asked for decides nothing; what
// is refused has changed nothing; a time is what the C library makes of it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/net/oat_answer.h"
#include "libattest/net/oat_time.h"

using namespace attest;

namespace {

constexpr std::int64_t kNow = 1456784966;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const net::OatHost& a, const net::OatHost& b) {
  return a.name == b.name && a.verdict == b.verdict && a.reason == b.reason &&
         a.measured_at == b.measured_at;
}

// Malformed input is refused in one way only.
bool read(std::string_view text, std::vector<net::OatHost>& hosts) {
  const std::vector<net::OatHost> before = hosts;
  try {
    net::read_poll_answer(text, kNow, hosts);
    return true;
  } catch (const ParseError&) {
    require(std::ranges::equal(before, hosts, same));
    return false;
  }
}

void check_answer(std::string_view text) {
  std::vector<net::OatHost> hosts{{"n0"}, {"n1"}, {"n2"}};
  std::vector<net::OatHost> reversed(hosts.rbegin(), hosts.rend());
  const bool good = read(text, hosts);
  require(good == read(text, reversed));
  std::ranges::reverse(reversed);
  require(std::ranges::equal(hosts, reversed, same));
  for (const net::OatHost& host : hosts) {
    const bool known = host.verdict != net::OatVerdict::kUnknown;
    require(known == host.measured_at.has_value());
    require(!known || (*host.measured_at >= 0 && *host.measured_at <= kNow + net::kOatClockSkew));
    require(host.verdict != net::OatVerdict::kTrusted || host.reason == net::OatReason::kAnswered);
    require(host.reason != net::OatReason::kNameRefused);
  }
  // The same list with an entry more at its front.
  const std::size_t bracket = text.find('[');
  if (!good || bracket == std::string_view::npos) return;
  std::string more(text.substr(0, bracket + 1));
  more += R"({"host_name":"n0","trust_lvl":"untrusted","vtime":"2016-02-29T22:29:26Z"},)";
  more += text.substr(bracket + 1);
  std::vector<net::OatHost> worse{{"n0"}, {"n1"}, {"n2"}};
  if (!read(more, worse)) return;
  // Where it went into the list of hosts, it counts; elsewhere, nothing has changed.
  require(worse[0].verdict == net::OatVerdict::kUntrusted ||
          std::ranges::equal(hosts, worse, same));
}

void check_time(std::string_view text) {
  const auto seconds = net::parse_oat_time(text);
  if (!seconds) return;
  const auto time = static_cast<std::time_t>(*seconds);
  std::tm fields{};
  require(gmtime_r(&time, &fields) != nullptr);
  if (fields.tm_year + 1900 > 9999) return;  // an offset led behind what four digits say
  std::array<char, 64> written{};
  std::size_t size = std::strftime(written.data(), written.size(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  require(net::parse_oat_time({written.data(), size}) == seconds);
  size = std::strftime(written.data(), written.size(), "%a %b %e %H:%M:%S %Y", &fields);
  require(net::parse_oat_time({written.data(), size}) == seconds);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  check_answer(text);
  check_time(text);
  (void)net::poll_refusal_words(text);
  return 0;
}
