// SPDX-License-Identifier: Apache-2.0

// Target: attest::cache::HostVerdicts, by any sequence of its calls. Input: a limit, then steps of
// a byte that says what to do and its operands.
// Property: every answer is that of a model, which keeps the last batch that spoke of a host and
// reads the rules from it. Times are whole seconds, so that nothing is rounded.
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/cache/host_verdicts.h"

using namespace attest;
using cache::Reason;
using cache::Verdict;

namespace {

constexpr double kTtl = 60;
constexpr double kSkew = 30;

void require(bool holds) {
  if (!holds) std::abort();
}

// Few names, that have much in common: a prefix, a NUL, a hash.
std::string name_of(std::uint8_t byte) {
  std::string name((byte & 7U) % 7, 'h');
  if ((byte & 8U) != 0) name += '\0';
  if ((byte & 16U) != 0) name += "\xc3\xa9";
  if ((byte & 32U) != 0) name.append(cache::kMaxHostName - 4, 'x');
  return name;
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= cache::kMaxHostName;
}

class Model {
 public:
  explicit Model(std::size_t limit) : limit_(limit) {}

  void put(const std::vector<cache::HostVerdict>& batch, cache::Moment at) {
    std::vector<std::string> order;
    std::map<std::string, Known> worst;
    for (const cache::HostVerdict& v : batch) {
      const Known known{received(v, at), v.measured_at.value_or(0), at, 0};
      const auto [found, is_new] = worst.try_emplace(std::string(v.name), known);
      if (is_new) order.emplace_back(v.name);
      if (!is_new && worse(known, found->second)) found->second = known;
    }
    for (const std::string& name : order) {
      Known known = worst.at(name);
      const auto old = known_.find(name);
      if (old != known_.end() && known.received == Reason::kTrusted &&
          answer(name, at).first == Reason::kUntrusted && known.measured < old->second.measured) {
        continue;
      }
      known.number = ++number_;
      known_.insert_or_assign(name, known);
    }
    while (known_.size() > limit_) forget_oldest();
  }

  std::pair<Reason, bool> answer(const std::string& name, cache::Moment at) const {
    if (!is_name(name)) return {Reason::kInvalidName, false};
    const auto found = known_.find(name);
    if (found == known_.end()) return {Reason::kMissing, true};
    const Known& k = found->second;
    const double age = std::max(0.0, at.monotonic - k.at.monotonic);
    if (at.monotonic < k.at.monotonic - kSkew || age >= kTtl) return {Reason::kExpired, true};
    if (k.received != Reason::kTrusted && k.received != Reason::kUntrusted) {
      return {k.received, false};
    }
    const bool was_over = k.at.now + age >= k.measured + kTtl;
    if (was_over) return {Reason::kExpired, true};
    if (k.measured > at.now + kSkew) return {Reason::kFutureTime, true};
    if (at.now >= k.measured + kTtl) return {Reason::kExpired, true};
    return {k.received, false};
  }

  void clear() { known_.clear(); }
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    Reason received;
    double measured;
    cache::Moment at;
    std::uint64_t number;
  };
  static Reason received(const cache::HostVerdict& v, cache::Moment at) {
    if (v.verdict == Verdict::kUnknown) return Reason::kUnknown;
    if (!v.measured_at) return Reason::kNoTime;
    if (*v.measured_at > at.now + kSkew) return Reason::kFutureTime;
    if (*v.measured_at + kTtl <= at.now) return Reason::kExpired;
    return v.verdict == Verdict::kTrusted ? Reason::kTrusted : Reason::kUntrusted;
  }
  static bool worse(const Known& a, const Known& b) {
    const auto rank = [](Reason r) {
      return r == Reason::kUntrusted ? 2 : r == Reason::kTrusted ? 0 : 1;
    };
    if (rank(a.received) != rank(b.received)) return rank(a.received) > rank(b.received);
    return rank(a.received) != 1 && a.measured < b.measured;
  }
  void forget_oldest() {
    auto oldest = known_.begin();
    for (auto at = known_.begin(); at != known_.end(); ++at) {
      if (at->second.number < oldest->second.number) oldest = at;
    }
    known_.erase(oldest);
  }

  std::size_t limit_;
  std::uint64_t number_ = 0;
  std::map<std::string, Known> known_;
};

void put(cache::HostVerdicts& verdicts, Model& model, Reader& in, cache::Moment at) {
  const std::size_t count = in.u8("count") % 16;
  std::vector<std::string> names;
  std::vector<cache::HostVerdict> batch;
  bool good = true;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(name_of(in.u8("name")));
    good = good && is_name(names.back());
    const std::uint8_t what = in.u8("what");
    cache::HostVerdict v{{}, static_cast<Verdict>(what % 3), std::nullopt};
    if (what < 240) v.measured_at = at.now + static_cast<int>(what / 3) * 2 - 80;
    batch.push_back(v);
  }
  for (std::size_t i = 0; i < count; ++i) batch[i].name = names[i];
  try {
    verdicts.put(batch, at);
    require(good);
    model.put(batch, at);
  } catch (const std::invalid_argument&) {
    require(!good);
  }
}

void decide(const cache::HostVerdicts& verdicts, const Model& model, Reader& in, cache::Moment at) {
  std::vector<std::string> names;
  for (std::size_t left = in.u8("count") % 16; left > 0; --left) {
    names.push_back(name_of(in.u8("name")));
  }
  const std::vector<std::string_view> asked(names.begin(), names.end());
  const cache::Decision decision = verdicts.decide(asked, at);
  require(decision.reasons.size() == names.size());
  std::map<std::string, std::size_t> fetch;  // where each name is first
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [reason, to_fetch] = model.answer(names[i], at);
    require(decision.reasons[i] == reason);
    if (to_fetch) fetch.try_emplace(names[i], i);
  }
  require(decision.to_fetch.size() == fetch.size());
  for (std::size_t i = 0; i < decision.to_fetch.size(); ++i) {
    const std::size_t index = decision.to_fetch[i];
    require(i == 0 || decision.to_fetch[i - 1] < index);
    require(fetch.at(names[index]) == index);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader in({data, size}, "steps");
  try {
    const std::size_t limit = in.u8("limit") % 40U + 1U;
    const std::uint64_t seed = in.u8("seed");  // 0: all short names of a length share a hash
    cache::HostVerdicts verdicts({kTtl, kSkew, limit, seed});
    Model model(limit);
    cache::Moment at{1'800'000'000, 5'000};
    while (!in.done()) {
      const std::uint8_t step = in.u8("step");
      const auto operand = static_cast<double>(step >> 3U);
      switch (step & 7U) {
        case 0:
        case 1:
          put(verdicts, model, in, at);
          break;
        case 2:
          at.now += operand, at.monotonic += operand;
          break;
        case 3:
          at.now += 8 * (operand - 16);  // somebody sets it
          break;
        case 4:
          at.monotonic -= 2 * operand;  // another thread's, or another clock
          break;
        case 5:
          if (operand == 0) verdicts.clear(), model.clear();
          break;
        default:
          decide(verdicts, model, in, at);
      }
      require(verdicts.size() == model.size() && verdicts.size() <= limit);
    }
  } catch (const ParseError&) {  // the input ends inside a step
  }
  return 0;
}
