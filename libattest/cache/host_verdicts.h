// SPDX-License-Identifier: Apache-2.0

// What servers said of many hosts, for as long as it may be believed: put() stores what was
// fetched, decide() answers for a whole list of hosts and says what to fetch. Nothing is fetched
// here, and no clock is asked.

#ifndef LIBATTEST_CACHE_HOST_VERDICTS_H_
#define LIBATTEST_CACHE_HOST_VERDICTS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libattest/base/seeded_hash.h"

namespace attest::cache {

inline constexpr std::size_t kMaxHostName = 255;  // bytes

// The numbers are those of attest_verdict.
enum class Verdict : std::uint8_t { kUnknown = 0, kTrusted = 1, kUntrusted = 2 };

// Why a host is answered for as it is. The numbers are those of attest_host_reason.
enum class Reason : std::uint8_t {
  kMissing = 0,
  kTrusted = 1,
  kUntrusted = 2,
  kUnknown = 3,
  kExpired = 4,
  kFutureTime = 5,
  kNoTime = 6,
  kInvalidName = 7,
};
inline constexpr Reason kLastReason = Reason::kInvalidName;

// "future-time". A literal: there is a NUL behind it.
std::string_view name_of(Reason reason) noexcept;

// One moment on two clocks, in seconds: the wall clock, which may be set, and one that only runs.
struct Moment {
  double now = 0;
  double monotonic = 0;
};

struct HostVerdict {
  std::string_view name;
  Verdict verdict = Verdict::kUnknown;
  std::optional<double> measured_at;  // by the server's wall clock
};

struct Decision {
  std::vector<Reason> reasons;        // in the order of the names
  std::vector<std::size_t> to_fetch;  // which names to ask the server about, each name once
};

// Any number of threads may use one.
class HostVerdicts {
 public:
  struct Settings {
    double ttl = 0;               // how long a verdict holds; 0: none ever does
    double skew = 30;             // how far the server's clock may be ahead
    std::size_t limit = 100'000;  // of hosts
    std::uint64_t seed = 0;       // unpredictable
  };

  // Throws std::invalid_argument for settings that make no sense.
  explicit HostVerdicts(const Settings& settings);

  // Throws std::invalid_argument for times that are not finite.
  Decision decide(std::span<const std::string_view> names, Moment at) const;

  // Stores all of a batch, or throws and stores nothing. Of several verdicts on one host the worst
  // counts. What was known of a host before is replaced, but a trusted verdict does not replace an
  // untrusted one that still holds and was measured later: it was overtaken on its way here. Over
  // the limit, what was received longest ago is forgotten.
  // Throws std::invalid_argument for times that are not finite, and for a name that is none.
  void put(std::span<const HostVerdict> verdicts, Moment at);

  void clear() noexcept;
  std::size_t size() const noexcept;

 private:
  using Order = std::list<const std::string*>;  // names in the table, the longest there first
  struct Entry {
    Reason reason = Reason::kUnknown;
    double measured_at = 0;  // of a verdict: kTrusted and kUntrusted
    double received = 0;     // these two are monotonic
    double until = 0;
    Order::iterator place;
  };
  struct Hash {
    using is_transparent = void;
    std::uint64_t seed;
    // Not noexcept, which has libstdc++ keep the hashes and compare them before names.
    std::size_t operator()(std::string_view name) const { return seeded_hash(name, seed); }
  };
  struct Same {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
  };
  struct Table {
    explicit Table(std::uint64_t seed) : entries(0, Hash{seed}) {}
    std::unordered_map<std::string, Entry, Hash, Same> entries;
    Order order;
  };
  struct Answer {
    Reason reason;
    bool fetch;
  };

  Entry receive(const HostVerdict& verdict, Moment at) const noexcept;
  Answer answer(std::string_view name, Moment at) const;
  Answer answer(const Entry& entry, Moment at) const noexcept;
  bool overtaken(const Entry& entry, const Entry& known, Moment at) const noexcept;
  void merge(Table batch, Moment at);

  const Settings settings_;
  mutable std::mutex mutex_;
  Table table_;
};

}  // namespace attest::cache

#endif  // LIBATTEST_CACHE_HOST_VERDICTS_H_
