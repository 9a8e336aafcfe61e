// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/verify/inspect.h"

using attest::api::guard;
using attest::api::StateError;
namespace ima = attest::ima;

namespace {

enum class Stage : std::uint8_t { kFeeding, kFinished, kBroken };

ima::ListFormat format_of(const attest_ima_format& format) {
  const int number = attest::api::number_of(format);
  if (number < ATTEST_IMA_DETECT || number > ATTEST_IMA_ASCII) {
    throw std::invalid_argument("options.format is not an attest_ima_format");
  }
  return static_cast<ima::ListFormat>(number);
}

ima::DigestMode mode_of(const attest_ima_digest& digest) {
  const int number = attest::api::number_of(digest);
  if (number == ATTEST_IMA_DIGEST_DEFAULT) return ima::DigestMode::kNative;
  if (number < ATTEST_IMA_NATIVE || number > ATTEST_IMA_PADDED_OLD) {
    throw std::invalid_argument("options.digest is not an attest_ima_digest");
  }
  return static_cast<ima::DigestMode>(number);
}

}  // namespace

struct attest_ima {
  explicit attest_ima(const attest_ima_options& o)
      : inspection(
            format_of(o.format),
            attest::api::hash_of(o.bank, "options.bank").value_or(attest::crypto::Hash::kSha256),
            attest::api::hash_of(o.list_bank, "options.list_bank"), mode_of(o.digest)) {}

  // What changes the replay leaves it broken unless it comes to its end.
  template <typename Step>
  void step(Step change, Stage after) {
    if (stage == Stage::kBroken) throw StateError("the IMA list was malformed before");
    if (stage == Stage::kFinished) throw StateError("the IMA list has ended");
    stage = Stage::kBroken;
    change();
    stage = after;
  }
  void require_sound() const {
    if (stage == Stage::kBroken) throw StateError("the IMA list was malformed");
  }

  attest::verify::ImaInspection inspection;
  Stage stage = Stage::kFeeding;
};

namespace attest::api {
template <>
inline constexpr std::size_t kFirstSize<attest_ima_options> = offsetof(attest_ima_options, digest) +
                                                              sizeof(attest_ima_digest);
}  // namespace attest::api

extern "C" {

attest_status attest_ima_new(attest_ima** out, const attest_ima_options* options) {
  return guard([&] {
    attest::api::clear_output(out);
    const attest_ima_options init = ATTEST_IMA_OPTIONS_INIT;
    *out = std::make_unique<attest_ima>(options == nullptr ? init
                                                           : attest::api::options_of(options, init))
               .release();
  });
}

attest_status attest_ima_feed(attest_ima* ima, const std::uint8_t* data, std::size_t data_len) {
  return guard([&] {
    attest::api::require(ima, "ima");
    const attest::Bytes chunk = attest::api::bytes(data, data_len);
    ima->step([&] { ima->inspection.feed(chunk); }, Stage::kFeeding);
  });
}

attest_status attest_ima_finish(attest_ima* ima) {
  return guard([&] {
    attest::api::require(ima, "ima");
    ima->step([&] { ima->inspection.finish(); }, Stage::kFinished);
  });
}

std::uint64_t attest_ima_num_entries(const attest_ima* ima) {
  return ima == nullptr ? 0 : ima->inspection.num_entries();
}

std::uint64_t attest_ima_num_violations(const attest_ima* ima) {
  return ima == nullptr ? 0 : ima->inspection.num_violations();
}

attest_status attest_ima_pcrs(attest_pcrs** out, const attest_ima* ima) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(ima, "ima");
    ima->require_sound();
    attest_pcrs pcrs;
    for (const auto& [pcr, value] : ima->inspection.pcrs()) {
      pcrs.values.push_back({ima->inspection.bank(), pcr, value});
    }
    attest::api::give(out, std::move(pcrs));
  });
}

std::size_t attest_ima_num_findings(const attest_ima* ima) {
  return ima == nullptr ? 0 : ima->inspection.findings().list().size();
}

attest_status attest_ima_finding(attest_finding* out, const attest_ima* ima, std::size_t index) {
  return guard([&] {
    attest::api::require(ima, "ima");
    attest::api::fill_finding(out, ima->inspection.findings(), index);
  });
}

attest_status attest_ima_to_json(attest_buffer** out, const attest_ima* ima) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(ima, "ima");
    ima->require_sound();
    attest::api::give_text(out, ima->inspection.to_json());
  });
}

void attest_ima_free(attest_ima* ima) { delete ima; }

}  // extern "C"
