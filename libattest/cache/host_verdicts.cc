// SPDX-License-Identifier: Apache-2.0

#include "libattest/cache/host_verdicts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>
#include <unordered_set>
#include <utility>

namespace attest::cache {
namespace {

void require_finite(Moment at) {
  if (!std::isfinite(at.now)) throw std::invalid_argument("now is not a finite number");
  if (!std::isfinite(at.monotonic)) throw std::invalid_argument("monotonic is not a finite number");
}

bool is_host_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMaxHostName;
}

// Whether this is what a server said, and not what is wrong with it.
bool is_verdict(Reason reason) noexcept {
  return reason == Reason::kTrusted || reason == Reason::kUntrusted;
}

int badness(Reason reason) noexcept {
  if (reason == Reason::kTrusted) return 0;
  return reason == Reason::kUntrusted ? 2 : 1;
}

}  // namespace

std::string_view name_of(Reason reason) noexcept {
  switch (reason) {
    case Reason::kMissing:
      return "missing";
    case Reason::kTrusted:
      return "trusted";
    case Reason::kUntrusted:
      return "untrusted";
    case Reason::kUnknown:
      return "unknown";
    case Reason::kExpired:
      return "expired";
    case Reason::kFutureTime:
      return "future-time";
    case Reason::kNoTime:
      return "no-time";
    case Reason::kInvalidName:
      return "invalid-name";
  }
  return "?";
}

HostVerdicts::HostVerdicts(const Settings& settings) : settings_(settings), table_(settings.seed) {
  const auto is_duration = [](double seconds) { return std::isfinite(seconds) && seconds >= 0; };
  if (!is_duration(settings.ttl)) throw std::invalid_argument("ttl is not a number of seconds");
  if (!is_duration(settings.skew)) throw std::invalid_argument("skew is not a number of seconds");
  if (settings.limit == 0) throw std::invalid_argument("limit is 0");
}

// Conditions are written so that what is no number is not believed.
HostVerdicts::Entry HostVerdicts::receive(const HostVerdict& verdict, Moment at) const noexcept {
  Entry entry;
  entry.received = at.monotonic;
  entry.until = at.monotonic + settings_.ttl;
  if (verdict.verdict == Verdict::kUnknown) return entry;
  if (!verdict.measured_at) {
    entry.reason = Reason::kNoTime;
    return entry;
  }
  const double expires = *verdict.measured_at + settings_.ttl;
  if (!(*verdict.measured_at <= at.now + settings_.skew)) {
    entry.reason = Reason::kFutureTime;
  } else if (!(at.now < expires)) {
    entry.reason = Reason::kExpired;
  } else {
    entry.reason = verdict.verdict == Verdict::kTrusted ? Reason::kTrusted : Reason::kUntrusted;
    entry.measured_at = *verdict.measured_at;
    // Both clocks end it: a wall clock that is set back later does not make it live longer.
    entry.until = at.monotonic + std::min(settings_.ttl, expires - at.now);
  }
  return entry;
}

HostVerdicts::Answer HostVerdicts::answer(const Entry& entry, Moment at) const noexcept {
  // A thread that has read the clock before another one's put() is a little behind it: as if it had
  // asked then. A clock that is far behind is another clock.
  const bool is_clock = at.monotonic >= entry.received - settings_.skew;
  const bool holds = std::max(at.monotonic, entry.received) < entry.until;
  if (!is_clock || !holds) return {Reason::kExpired, true};
  if (!is_verdict(entry.reason)) return {entry.reason, false};
  // The wall clock may have been set since.
  if (!(entry.measured_at <= at.now + settings_.skew)) return {Reason::kFutureTime, true};
  if (!(at.now < entry.measured_at + settings_.ttl)) return {Reason::kExpired, true};
  return {entry.reason, false};
}

HostVerdicts::Answer HostVerdicts::answer(std::string_view name, Moment at) const {
  if (!is_host_name(name)) return {Reason::kInvalidName, false};
  const auto found = table_.entries.find(name);
  if (found == table_.entries.end()) return {Reason::kMissing, true};
  return answer(found->second, at);
}

Decision HostVerdicts::decide(std::span<const std::string_view> names, Moment at) const {
  require_finite(at);
  Decision decision;
  decision.reasons.reserve(names.size());
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Answer a = answer(names[i], at);
      decision.reasons.push_back(a.reason);
      if (a.fetch) decision.to_fetch.push_back(i);
    }
  }
  std::unordered_set<std::string_view, Hash, Same> seen(0, Hash{settings_.seed});
  std::erase_if(decision.to_fetch, [&](std::size_t i) { return !seen.insert(names[i]).second; });
  return decision;
}

void HostVerdicts::put(std::span<const HostVerdict> verdicts, Moment at) {
  require_finite(at);
  Table batch(settings_.seed);
  for (const HostVerdict& verdict : verdicts) {
    if (!is_host_name(verdict.name)) {
      throw std::invalid_argument("a host's name is empty or longer than 255 bytes");
    }
    Entry entry = receive(verdict, at);
    const auto [found, is_new] = batch.entries.try_emplace(std::string(verdict.name), entry);
    Entry& kept = found->second;
    if (is_new) {
      kept.place = batch.order.insert(batch.order.end(), &found->first);
      continue;
    }
    const int worse = badness(entry.reason) - badness(kept.reason);
    if (worse > 0 || (worse == 0 && entry.measured_at < kept.measured_at)) {
      entry.place = kept.place;
      kept = entry;
    }
  }
  merge(std::move(batch), at);
}

bool HostVerdicts::overtaken(const Entry& entry, const Entry& known, Moment at) const noexcept {
  return entry.reason == Reason::kTrusted && entry.measured_at < known.measured_at &&
         answer(known, at).reason == Reason::kUntrusted;
}

void HostVerdicts::merge(Table batch, Moment at) {
  const std::lock_guard lock(mutex_);
  auto& [entries, order] = table_;
  const std::size_t most = entries.size() + batch.entries.size();
  // Asked for less than there is, reserve() would make the table smaller.
  if (most >= entries.bucket_count()) entries.reserve(most);
  // From here on nothing is allocated, so that nothing can fail half-way.
  while (!batch.order.empty()) {
    const auto place = batch.order.begin();
    auto node = batch.entries.extract(batch.entries.find(**place));
    const auto found = entries.find(node.key());
    if (found == entries.end()) {
      order.splice(order.end(), batch.order, place);
      entries.insert(std::move(node));
      continue;
    }
    batch.order.erase(place);
    Entry& known = found->second;
    if (overtaken(node.mapped(), known, at)) continue;
    node.mapped().place = known.place;
    known = node.mapped();
    order.splice(order.end(), order, known.place);
  }
  while (entries.size() > settings_.limit) {
    entries.erase(entries.find(*order.front()));
    order.pop_front();
  }
}

void HostVerdicts::clear() noexcept {
  const std::lock_guard lock(mutex_);
  table_.entries.clear();
  table_.order.clear();
}

std::size_t HostVerdicts::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return table_.entries.size();
}

}  // namespace attest::cache
