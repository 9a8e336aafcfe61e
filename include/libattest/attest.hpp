// SPDX-License-Identifier: Apache-2.0

// libattest for C++17 and newer: the C functions of attest.h behind classes that own what they
// hold. Header only, nothing but the C ABI and the standard library.
//
// A call that could not do its work throws libattest::Error. Evidence that is not trusted is no
// error: that is the report's verdict. Objects move and do not copy; an object that was moved from
// can only be destroyed or assigned to. Views (Bytes, std::string_view) that a member function
// returns belong to its object, and those given are read during the call only. For threads, the
// rules are those of base.h, where const member functions are those that do not change an object.

#ifndef LIBATTEST_ATTEST_HPP_
#define LIBATTEST_ATTEST_HPP_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "libattest/attest.h"

namespace libattest {

// A call that could not do its work; what() is attest_last_error()'s line.
class Error : public std::runtime_error {
 public:
  explicit Error(attest_status status) : std::runtime_error(attest_last_error()), status_(status) {}

  attest_status status() const noexcept { return status_; }

 private:
  attest_status status_;
};

inline void check(attest_status status) {
  if (status != ATTEST_OK) throw Error(status);
}

// A view of bytes: from a pointer and a size, or anything with data() and size() over bytes, such
// as std::vector<std::uint8_t>, std::array, std::span or std::string.
class Bytes {
 public:
  constexpr Bytes() noexcept = default;
  constexpr Bytes(const std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <typename Container,
            typename Element = std::remove_pointer_t<decltype(std::declval<Container&>().data())>,
            typename = std::enable_if_t<sizeof(Element) == 1 && std::is_integral_v<Element> &&
                                        !std::is_same_v<std::decay_t<Container>, Bytes>>>
  Bytes(const Container& bytes) noexcept  // implicit, as std::span's is
      : data_(reinterpret_cast<const std::uint8_t*>(bytes.data())), size_(bytes.size()) {}

  constexpr const std::uint8_t* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr const std::uint8_t* begin() const noexcept { return data_; }
  constexpr const std::uint8_t* end() const noexcept { return data_ + size_; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// A C object and the function that frees it.
template <typename Object, void (*Free)(Object*)>
class Handle {
 public:
  Handle() noexcept = default;
  explicit Handle(Object* owned) noexcept : object_(owned) {}

  Object* get() const noexcept { return object_.get(); }

  // Makes an object with a C function whose first argument is the place for it.
  template <typename Make, typename... Args>
  static Handle make(Make make, Args... args) {
    Object* made = nullptr;
    check(make(&made, args...));
    return Handle(made);
  }

 private:
  struct Freed {
    void operator()(Object* object) const noexcept { Free(object); }
  };
  std::unique_ptr<Object, Freed> object_;
};

// The text that a C function makes of an object.
template <typename Object>
std::string text_of(attest_status (*render)(attest_buffer**, const Object*), const Object* object) {
  const auto buffer = Handle<attest_buffer, attest_buffer_free>::make(render, object);
  const auto* data = reinterpret_cast<const char*>(attest_buffer_data(buffer.get()));
  return std::string(data, attest_buffer_size(buffer.get()));
}

// `size` unpredictable bytes, 16 to 64, for one quote.
inline std::vector<std::uint8_t> make_nonce(std::size_t size = 32) {
  std::vector<std::uint8_t> nonce(size);
  check(attest_nonce_make(nonce.data(), nonce.size()));
  return nonce;
}

// See attest_finding. Owns its words.
struct Finding {
  std::int32_t code = 0;
  std::string id;
  attest_severity severity = ATTEST_SEVERITY_NONE;
  attest_component component = ATTEST_COMPONENT_NONE;
  std::optional<std::uint32_t> pcr;
  std::optional<std::uint64_t> index;
  std::optional<std::uint64_t> offset;
  std::string expected;
  std::string found;
  std::string message;
};

// The findings that two C functions count and give.
template <typename Object>
std::vector<Finding> findings_of(std::size_t (*count)(const Object*),
                                 attest_status (*at)(attest_finding*, const Object*, std::size_t),
                                 const Object* object) {
  std::vector<Finding> out(count(object));
  for (std::size_t i = 0; i < out.size(); ++i) {
    attest_finding f = ATTEST_FINDING_INIT;
    check(at(&f, object, i));
    out[i].code = f.code;
    out[i].id = f.id;
    out[i].severity = f.severity;
    out[i].component = f.component;
    if (f.pcr >= 0) out[i].pcr = static_cast<std::uint32_t>(f.pcr);
    if (f.index >= 0) out[i].index = static_cast<std::uint64_t>(f.index);
    if (f.offset >= 0) out[i].offset = static_cast<std::uint64_t>(f.offset);
    out[i].expected = f.expected;
    out[i].found = f.found;
    out[i].message = f.message;
  }
  return out;
}

// See attest_pcrs.
class Pcrs {
 public:
  struct Value {
    attest_hash bank = ATTEST_HASH_NONE;
    std::uint32_t pcr = 0;
    Bytes value;
  };

  explicit Pcrs(Bytes serialized)
      : handle_(Owned::make(attest_pcrs_parse, serialized.data(), serialized.size())) {}
  explicit Pcrs(attest_pcrs* owned) noexcept : handle_(owned) {}

  std::size_t size() const noexcept { return attest_pcrs_count(get()); }
  Value at(std::size_t index) const {
    Value v;
    const std::uint8_t* value = nullptr;
    std::size_t value_len = 0;
    check(attest_pcrs_at(get(), index, &v.bank, &v.pcr, &value, &value_len));
    v.value = {value, value_len};
    return v;
  }
  // Empty when the set does not have it.
  Bytes find(attest_hash bank, std::uint32_t pcr) const noexcept {
    std::size_t value_len = 0;
    const std::uint8_t* value = attest_pcrs_find(get(), bank, pcr, &value_len);
    return {value, value_len};
  }
  const attest_pcrs* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_pcrs, attest_pcrs_free>;
  Owned handle_;
};

// The set of PCR values that a C function makes of an object.
template <typename Object>
Pcrs pcrs_of(attest_status (*make)(attest_pcrs**, const Object*), const Object* object) {
  attest_pcrs* made = nullptr;
  check(make(&made, object));
  return Pcrs(made);
}

// See attest_key.
class Key {
 public:
  explicit Key(Bytes in) : handle_(Owned::make(attest_key_load, in.data(), in.size())) {}
  explicit Key(attest_key* owned) noexcept : handle_(owned) {}

  attest_key_format format() const noexcept { return attest_key_get_format(get()); }
  std::string_view describe() const noexcept { return attest_key_describe(get()); }
  Bytes name() const noexcept {
    std::size_t name_len = 0;
    const std::uint8_t* name = attest_key_name(get(), &name_len);
    return {name, name_len};
  }
  std::uint32_t attributes() const noexcept { return attest_key_attributes(get()); }
  const attest_key* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_key, attest_key_free>;
  Owned handle_;
};

// See attest_ek. A part that there is not is empty.
class EndorsementKey {
 public:
  explicit EndorsementKey(Bytes public_area, Bytes certificate = {})
      : handle_(Owned::make(attest_ek_load, public_area.data(), public_area.size(),
                            certificate.data(), certificate.size())) {}

  std::string_view sha256() const noexcept { return attest_ek_sha256(get()); }
  std::string_view describe() const noexcept { return attest_ek_describe(get()); }
  // Throws Error unless the chain is good; each element is a file's content.
  void verify_chain(const std::vector<Bytes>& cas, const std::vector<Bytes>& intermediates,
                    std::int64_t now) const {
    const std::vector<attest_bytes> cas_c = to_c(cas);
    const std::vector<attest_bytes> intermediates_c = to_c(intermediates);
    attest_chain_options options = ATTEST_CHAIN_OPTIONS_INIT;
    options.cas = cas_c.data();
    options.num_cas = cas_c.size();
    options.intermediates = intermediates_c.data();
    options.num_intermediates = intermediates_c.size();
    options.now = now;
    check(attest_ek_verify_chain(get(), &options));
  }
  const attest_ek* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_ek, attest_ek_free>;
  static std::vector<attest_bytes> to_c(const std::vector<Bytes>& files) {
    std::vector<attest_bytes> out;
    for (const Bytes& file : files) out.push_back({file.data(), file.size()});
    return out;
  }
  Owned handle_;
};

// See attest_credential.
class CredentialChallenge {
 public:
  CredentialChallenge(const EndorsementKey& ek, const Key& ak)
      : handle_(Owned::make(attest_credential_new, ek.get(), ak.get())) {}

  Bytes id_object() const noexcept { return part(attest_credential_id_object); }
  Bytes encrypted_secret() const noexcept { return part(attest_credential_encrypted_secret); }
  // The key, bound; nothing for a wrong answer. Throws Error for a second one.
  std::optional<Key> check(Bytes answer) {
    attest_key* bound = nullptr;
    const attest_status status =
        attest_credential_check(&bound, handle_.get(), answer.data(), answer.size());
    if (status == ATTEST_E_REFUSED) return std::nullopt;
    libattest::check(status);
    return Key(bound);
  }

 private:
  using Owned = Handle<attest_credential, attest_credential_free>;
  Bytes part(const std::uint8_t* (*get)(const attest_credential*, std::size_t*)) const noexcept {
    std::size_t len = 0;
    const std::uint8_t* data = get(handle_.get(), &len);
    return {data, len};
  }
  Owned handle_;
};

// See attest_report.
class Report {
 public:
  struct Pcr {
    attest_hash bank = ATTEST_HASH_NONE;
    std::uint32_t index = 0;
    std::vector<std::uint8_t> value;
    attest_pcr_state state = ATTEST_PCR_UNEXPLAINED;
  };

  explicit Report(attest_report* owned) noexcept : handle_(owned) {}

  attest_verdict verdict() const noexcept { return attest_report_verdict(get()); }
  bool trusted() const noexcept { return verdict() == ATTEST_VERDICT_TRUSTED; }
  bool quote_verified() const noexcept { return attest_report_quote_verified(get()) == 1; }
  std::vector<Finding> findings() const {
    return findings_of(attest_report_num_findings, attest_report_finding, get());
  }
  std::uint64_t num_dropped() const noexcept { return attest_report_num_dropped(get()); }
  std::vector<Pcr> pcrs() const {
    std::vector<Pcr> out;
    for (std::size_t i = 0; i < attest_report_num_pcrs(get()); ++i) {
      attest_pcr_claim c = ATTEST_PCR_CLAIM_INIT;
      check(attest_report_pcr(&c, get(), i));
      out.push_back({c.bank, c.index, {c.value, c.value + c.value_len}, c.state});
    }
    return out;
  }
  std::string to_json() const { return text_of(attest_report_to_json, get()); }
  const attest_report* get() const noexcept { return handle_.get(); }

 private:
  Handle<attest_report, attest_report_free> handle_;
};

// See attest_quote.
class Quote {
 public:
  Quote(Bytes attest, Bytes signature, Bytes pcrs)
      : handle_(Owned::make(attest_quote_parse, attest.data(), attest.size(), signature.data(),
                            signature.size(), pcrs.data(), pcrs.size())) {}
  static Quote keylime(std::string_view text) {
    return Quote(Owned::make(attest_quote_parse_keylime, text.data(), text.size()));
  }

  // Claims; their pointers are the quote's.
  attest_quote_info info() const {
    attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
    check(attest_quote_get_info(&info, get()));
    return info;
  }
  Pcrs pcrs() const { return pcrs_of(attest_quote_pcrs, get()); }
  Report verify(const Key& key, Bytes nonce, bool allow_sha1 = false) const {
    attest_quote_options options = ATTEST_QUOTE_OPTIONS_INIT;
    options.nonce = nonce.data();
    options.nonce_len = nonce.size();
    options.allow_sha1 = allow_sha1 ? 1 : 0;
    attest_report* report = nullptr;
    check(attest_quote_verify(&report, get(), key.get(), &options));
    return Report(report);
  }
  const attest_quote* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_quote, attest_quote_free>;
  explicit Quote(Owned made) noexcept : handle_(std::move(made)) {}
  Owned handle_;
};

// See attest_eventlog.
class EventLog {
 public:
  explicit EventLog(Bytes in, attest_hash bank = ATTEST_HASH_NONE)
      : handle_(Owned::make(attest_eventlog_parse, in.data(), in.size(), bank)) {}

  // The log of a dynamic launch.
  static EventLog launch(Bytes in, attest_hash bank = ATTEST_HASH_NONE) {
    return EventLog(Owned::make(attest_eventlog_parse_launch, in.data(), in.size(), bank));
  }

  attest_eventlog_format format() const noexcept { return attest_eventlog_get_format(get()); }
  std::size_t size() const noexcept { return attest_eventlog_num_events(get()); }
  attest_event at(std::size_t index) const {
    attest_event event = ATTEST_EVENT_INIT;
    check(attest_eventlog_event(&event, get(), index));
    return event;
  }
  // Empty when there is none.
  Bytes digest(std::size_t index, attest_hash bank) const noexcept {
    std::size_t digest_len = 0;
    const std::uint8_t* digest = attest_eventlog_digest(get(), index, bank, &digest_len);
    return {digest, digest_len};
  }
  Pcrs pcrs() const { return pcrs_of(attest_eventlog_pcrs, get()); }
  std::vector<Finding> findings() const {
    return findings_of(attest_eventlog_num_findings, attest_eventlog_finding, get());
  }
  std::string to_json() const { return text_of(attest_eventlog_to_json, get()); }
  const attest_eventlog* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_eventlog, attest_eventlog_free>;
  explicit EventLog(Owned handle) noexcept : handle_(std::move(handle)) {}
  Owned handle_;
};

// See attest_ima.
class Ima {
 public:
  explicit Ima(const attest_ima_options& options = ATTEST_IMA_OPTIONS_INIT)
      : handle_(Owned::make(attest_ima_new, &options)) {}

  void feed(Bytes chunk) { check(attest_ima_feed(handle_.get(), chunk.data(), chunk.size())); }
  void finish() { check(attest_ima_finish(handle_.get())); }

  std::uint64_t num_entries() const noexcept { return attest_ima_num_entries(get()); }
  std::uint64_t num_violations() const noexcept { return attest_ima_num_violations(get()); }
  Pcrs pcrs() const { return pcrs_of(attest_ima_pcrs, get()); }
  std::vector<Finding> findings() const {
    return findings_of(attest_ima_num_findings, attest_ima_finding, get());
  }
  std::string to_json() const { return text_of(attest_ima_to_json, get()); }
  const attest_ima* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_ima, attest_ima_free>;
  Owned handle_;
};

// See attest_policy.
class Policy {
 public:
  Policy() : handle_(Owned::make(attest_policy_new)) {}
  explicit Policy(std::string_view json)
      : handle_(Owned::make(attest_policy_parse, json.data(), json.size())) {}
  explicit Policy(attest_policy* owned) noexcept : handle_(owned) {}

  void set_allow_sha1(bool allow) {
    check(attest_policy_set_allow_sha1(handle_.get(), allow ? 1 : 0));
  }
  void set_ima_digest(attest_ima_digest digest) {
    check(attest_policy_set_ima_digest(handle_.get(), digest));
  }
  // Texts that are not given differ from empty ones: an empty checksum matches nothing.
  void add_allowlist(std::string_view allowlist,
                     std::optional<std::string_view> checksum = std::nullopt,
                     std::optional<std::string_view> excludelist = std::nullopt) {
    check(attest_policy_add_allowlist(
        handle_.get(), given(allowlist), allowlist.size(), checksum ? given(*checksum) : nullptr,
        checksum ? checksum->size() : 0, excludelist ? given(*excludelist) : nullptr,
        excludelist ? excludelist->size() : 0));
  }
  void add_runtime_policy(std::string_view json) {
    check(attest_policy_add_runtime_policy(handle_.get(), json.data(), json.size()));
  }
  void add_tpm_policy(std::string_view json) {
    check(attest_policy_add_tpm_policy(handle_.get(), json.data(), json.size()));
  }
  void add_oat_whitelist(std::string_view json) {
    check(attest_policy_add_oat_whitelist(handle_.get(), json.data(), json.size()));
  }
  std::string to_json() const { return text_of(attest_policy_to_json, get()); }
  const attest_policy* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_policy, attest_policy_free>;
  // Never NULL, which would say that there is none.
  static const char* given(std::string_view text) noexcept {
    return text.data() == nullptr ? "" : text.data();
  }
  Owned handle_;
};

// See attest_node.
class Node {
 public:
  Node() : handle_(Owned::make(attest_node_new)) {}
  explicit Node(Bytes exported)
      : handle_(Owned::make(attest_node_import, exported.data(), exported.size())) {}

  std::string to_json() const {
    const attest_node* node = handle_.get();
    return text_of(attest_node_export, node);
  }
  std::uint64_t ima_entries() const noexcept { return attest_node_ima_entries(handle_.get()); }
  attest_node* get() noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_node, attest_node_free>;
  Owned handle_;
};

// See attest_evidence.
class Evidence {
 public:
  // Puts up to `size` bytes into `buffer` and returns how many; 0 at the end. What it throws comes
  // out of appraise() and learn().
  using Read = std::function<std::size_t(std::uint8_t* buffer, std::size_t size)>;

  Evidence() : handle_(Owned::make(attest_evidence_new)) {}

  void set_quote(Bytes attest, Bytes signature, Bytes pcrs) {
    check(attest_evidence_set_quote(handle_.get(), attest.data(), attest.size(), signature.data(),
                                    signature.size(), pcrs.data(), pcrs.size()));
  }
  void set_keylime_quote(std::string_view text) {
    check(attest_evidence_set_keylime_quote(handle_.get(), text.data(), text.size()));
  }
  void set_ak(Bytes ak) { check(attest_evidence_set_ak(handle_.get(), ak.data(), ak.size())); }
  void set_key(const Key& key) { check(attest_evidence_set_key(handle_.get(), key.get())); }
  void set_eventlog(Bytes log) {
    check(attest_evidence_set_eventlog(handle_.get(), log.data(), log.size()));
  }
  void set_launch_log(Bytes log) {
    check(attest_evidence_set_launch_log(handle_.get(), log.data(), log.size()));
  }
  // `first_entry`: 0 for a whole list, else a Node's ima_entries().
  void set_ima(Bytes list, std::uint64_t first_entry = 0) {
    check(attest_evidence_set_ima(handle_.get(), list.data(), list.size()));
    reader_.reset();
    check(attest_evidence_set_ima_first_entry(handle_.get(), first_entry));
  }
  void set_ima_reader(Read read, std::uint64_t first_entry = 0) {
    auto reader = std::make_unique<Reader>(Reader{std::move(read), nullptr});
    check(attest_evidence_set_ima_reader(handle_.get(), call, reader.get()));
    reader_ = std::move(reader);
    check(attest_evidence_set_ima_first_entry(handle_.get(), first_entry));
  }
  attest_evidence* get() noexcept { return handle_.get(); }

  // Throws what the read function threw, else Error for a status that is not ATTEST_OK.
  void check_read(attest_status status) {
    if (status == ATTEST_E_READ && reader_ && reader_->thrown) {
      std::rethrow_exception(std::exchange(reader_->thrown, nullptr));
    }
    check(status);
  }

 private:
  using Owned = Handle<attest_evidence, attest_evidence_free>;
  struct Reader {
    Read read;
    std::exception_ptr thrown;
  };
  static std::ptrdiff_t call(void* user, std::uint8_t* buffer, std::size_t size) noexcept {
    auto& reader = *static_cast<Reader*>(user);
    try {
      return static_cast<std::ptrdiff_t>(reader.read(buffer, size));
    } catch (...) {
      reader.thrown = std::current_exception();
      return -1;
    }
  }
  std::unique_ptr<Reader> reader_;  // outlives handle_, which refers to it
  Owned handle_;
};

// `now`: seconds since 1970-01-01 UTC, for the report; 0: not said.
inline attest_appraise_options appraise_options(Bytes nonce, std::int64_t now) noexcept {
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  options.nonce = nonce.data();
  options.nonce_len = nonce.size();
  options.now = now;
  return options;
}

// See attest_appraise. `policy` and `node` may be null.
inline Report appraise(Evidence& evidence, const Policy* policy, Bytes nonce, std::int64_t now = 0,
                       Node* node = nullptr) {
  const attest_appraise_options options = appraise_options(nonce, now);
  attest_report* report = nullptr;
  evidence.check_read(attest_appraise(&report, evidence.get(),
                                      policy == nullptr ? nullptr : policy->get(),
                                      node == nullptr ? nullptr : node->get(), &options));
  return Report(report);
}
inline Report appraise(Evidence& evidence, const Policy& policy, Bytes nonce, std::int64_t now = 0,
                       Node* node = nullptr) {
  return appraise(evidence, &policy, nonce, now, node);
}

// See attest_policy_learn_profile. No policy when the evidence is not sound; the report says why.
struct Learned {
  std::optional<Policy> policy;
  Report report;
};
inline Learned learn_policy(Evidence& evidence, Bytes nonce, std::int64_t now = 0,
                            attest_profile profile = ATTEST_PROFILE_EVERYTHING,
                            bool allow_sha1 = false) {
  attest_appraise_options options = appraise_options(nonce, now);
  options.allow_sha1 = allow_sha1 ? 1 : 0;
  attest_policy* policy = nullptr;
  attest_report* report = nullptr;
  evidence.check_read(
      attest_policy_learn_profile(&policy, &report, evidence.get(), &options, profile));
  Learned learned{std::nullopt, Report(report)};
  if (policy != nullptr) learned.policy.emplace(policy);
  return learned;
}

// See attest_keylime. Times are for whole calls.
class Keylime {
 public:
  struct Options {
    std::string verifier;   // "HOST:PORT"; empty: none
    std::string registrar;  // the same
    std::string ca;         // PEM, and so on
    std::string certificate;
    std::string key;
    bool check_name = true;
  };
  struct Policies {
    std::optional<std::string> runtime_policy;
    std::optional<std::string> allowlist;
    std::optional<std::string> excludelist;
    std::optional<std::string> tpm_policy;
    std::optional<std::string> mb_policy;
    std::optional<std::string> policy_name;
  };
  // See attest_keylime_agent.
  class Agent {
   public:
    explicit Agent(const attest_keylime_agent_info& info)
        : handle_(Owned::make(attest_keylime_agent_new, &info)) {}
    explicit Agent(attest_keylime_agent* owned) noexcept : handle_(owned) {}
    // Its pointers are the agent's.
    attest_keylime_agent_info info() const {
      attest_keylime_agent_info info = ATTEST_KEYLIME_AGENT_INFO_INIT;
      check(attest_keylime_agent_get_info(&info, get()));
      return info;
    }
    const attest_keylime_agent* get() const noexcept { return handle_.get(); }

   private:
    using Owned = Handle<attest_keylime_agent, attest_keylime_agent_free>;
    Owned handle_;
  };
  // See attest_keylime_quote.
  class Quote {
   public:
    explicit Quote(attest_keylime_quote* owned) noexcept : handle_(owned) {}
    // Its pointers are the quote's.
    attest_keylime_quote_info info() const {
      attest_keylime_quote_info info = ATTEST_KEYLIME_QUOTE_INFO_INIT;
      check(attest_keylime_quote_get_info(&info, handle_.get()));
      return info;
    }

   private:
    Handle<attest_keylime_quote, attest_keylime_quote_free> handle_;
  };

  explicit Keylime(const Options& options) {
    attest_keylime_options o = ATTEST_KEYLIME_OPTIONS_INIT;
    if (!options.verifier.empty()) o.verifier = options.verifier.c_str();
    if (!options.registrar.empty()) o.registrar = options.registrar.c_str();
    o.ca = options.ca.data(), o.ca_len = options.ca.size();
    o.certificate = options.certificate.data(), o.certificate_len = options.certificate.size();
    o.key = options.key.data(), o.key_len = options.key.size();
    o.no_name_check = options.check_name ? 0 : 1;
    handle_ = Owned::make(attest_keylime_new, &o);
  }

  std::pair<std::optional<std::string>, std::optional<std::string>> versions(
      std::uint32_t timeout_ms = kTimeout) const {
    attest_buffer* verifier = nullptr;
    attest_buffer* registrar = nullptr;
    check(attest_keylime_versions(&verifier, &registrar, get(), timeout_ms));
    const Text first(verifier);
    const Text second(registrar);
    return {words(first), words(second)};
  }
  std::optional<Agent> lookup(const std::string& uuid, std::uint32_t timeout_ms = kTimeout) const {
    attest_keylime_agent* agent = nullptr;
    check(attest_keylime_lookup(&agent, get(), uuid.c_str(), timeout_ms));
    if (agent == nullptr) return std::nullopt;
    return Agent(agent);
  }
  void delete_registration(const std::string& uuid, std::uint32_t timeout_ms = kTimeout) const {
    check(attest_keylime_delete_registration(get(), uuid.c_str(), timeout_ms));
  }
  void add(const Agent& agent, const Policies& policies,
           std::uint32_t timeout_ms = kTimeout) const {
    attest_keylime_add_options o = ATTEST_KEYLIME_ADD_OPTIONS_INIT;
    give(policies.runtime_policy, o.runtime_policy, o.runtime_policy_len);
    give(policies.allowlist, o.allowlist, o.allowlist_len);
    give(policies.excludelist, o.excludelist, o.excludelist_len);
    give(policies.tpm_policy, o.tpm_policy, o.tpm_policy_len);
    give(policies.mb_policy, o.mb_policy, o.mb_policy_len);
    if (policies.policy_name) o.policy_name = policies.policy_name->c_str();
    check(attest_keylime_add(get(), agent.get(), &o, timeout_ms));
  }
  attest_keylime_status status(const std::string& uuid, std::uint32_t timeout_ms = kTimeout) const {
    attest_keylime_status status = ATTEST_KEYLIME_STATUS_INIT;
    check(attest_keylime_get_status(&status, get(), uuid.c_str(), timeout_ms));
    return status;
  }
  attest_keylime_status wait(const std::string& uuid, std::uint32_t timeout_ms) const {
    attest_keylime_status status = ATTEST_KEYLIME_STATUS_INIT;
    check(attest_keylime_wait(&status, get(), uuid.c_str(), timeout_ms));
    return status;
  }
  void remove(const std::string& uuid, std::uint32_t timeout_ms = kTimeout) const {
    check(attest_keylime_delete(get(), uuid.c_str(), timeout_ms));
  }
  // A line each.
  std::string list(std::uint32_t timeout_ms = kTimeout) const {
    return *words(Text::make(attest_keylime_list, get(), timeout_ms));
  }

  void create_policy(attest_keylime_policy_kind kind, const std::string& name,
                     std::string_view json, std::uint32_t timeout_ms = kTimeout) const {
    check(attest_keylime_policy_create(get(), kind, name.c_str(), json.data(), json.size(),
                                       timeout_ms));
  }
  std::optional<std::string> read_policy(attest_keylime_policy_kind kind, const std::string& name,
                                         std::uint32_t timeout_ms = kTimeout) const {
    return words(Text::make(attest_keylime_policy_read, get(), kind, name.c_str(), timeout_ms));
  }
  // A line each.
  std::string list_policies(attest_keylime_policy_kind kind,
                            std::uint32_t timeout_ms = kTimeout) const {
    return *words(Text::make(attest_keylime_policy_list, get(), kind, timeout_ms));
  }
  void delete_policy(attest_keylime_policy_kind kind, const std::string& name,
                     std::uint32_t timeout_ms = kTimeout) const {
    check(attest_keylime_policy_delete(get(), kind, name.c_str(), timeout_ms));
  }

  Quote identity_quote(const Agent& agent, const std::string& nonce,
                       std::uint32_t timeout_ms = kTimeout) const {
    attest_keylime_quote* quote = nullptr;
    check(attest_keylime_identity_quote(&quote, get(), agent.get(), nonce.c_str(), timeout_ms));
    return Quote(quote);
  }
  Quote integrity_quote(const Agent& agent, const std::string& nonce, std::uint32_t mask,
                        std::uint64_t ima_entry = 0, bool partial = true,
                        std::uint32_t timeout_ms = kTimeout) const {
    attest_keylime_quote* quote = nullptr;
    check(attest_keylime_integrity_quote(&quote, get(), agent.get(), nonce.c_str(), mask, ima_entry,
                                         partial ? 1 : 0, timeout_ms));
    return Quote(quote);
  }

  // See attest_keylime_check.
  struct Check {
    std::string id;
    attest_keylime_health health = ATTEST_KEYLIME_HEALTH_NONE;
    std::string message;
  };
  std::vector<Check> diagnose(std::string_view configuration, std::int64_t now,
                              std::uint32_t timeout_ms = kTimeout) const {
    const auto diagnosis = Handle<attest_keylime_diagnosis, attest_keylime_diagnosis_free>::make(
        attest_keylime_diagnose, get(), configuration.data(), configuration.size(), now,
        timeout_ms);
    std::vector<Check> out(attest_keylime_diagnosis_num_checks(diagnosis.get()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      attest_keylime_check one = ATTEST_KEYLIME_CHECK_INIT;
      check(attest_keylime_diagnosis_check(&one, diagnosis.get(), i));
      out[i] = {one.id, one.health, one.message};
    }
    return out;
  }

  // From another thread.
  void cancel() noexcept { attest_keylime_cancel(handle_.get()); }
  const attest_keylime* get() const noexcept { return handle_.get(); }

 private:
  static constexpr std::uint32_t kTimeout = 30000;
  using Owned = Handle<attest_keylime, attest_keylime_free>;
  using Text = Handle<attest_buffer, attest_buffer_free>;
  static std::optional<std::string> words(const Text& text) {
    if (text.get() == nullptr) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(attest_buffer_data(text.get())),
                       attest_buffer_size(text.get()));
  }
  static void give(const std::optional<std::string>& text, const char*& data, std::size_t& size) {
    if (!text) return;
    data = text->data();
    size = text->size();
  }
  Owned handle_;
};

// See attest_oat. Times are for whole calls.
class Oat {
 public:
  struct Options {
    std::string server;
    std::uint16_t port = 8443;
    std::string api_url = "/OpenAttestationWebServices/V1.0";
    attest_oat_dialect dialect = ATTEST_OAT_DIALECT_NONE;
    std::string ca;           // PEM
    std::string certificate;  // PEM; empty: the client shows none
    std::string key;
    bool check_name = true;
    std::string auth_blob;  // empty: none
    std::uint32_t batch = 100;
  };
  // See attest_oat_host.
  struct Host {
    std::string name;
    attest_verdict verdict = ATTEST_VERDICT_UNKNOWN;
    attest_oat_reason reason = ATTEST_OAT_NOT_ANSWERED;
    std::optional<std::int64_t> measured_at;

    bool trusted() const noexcept { return verdict == ATTEST_VERDICT_TRUSTED; }
  };
  struct Answer {
    std::vector<Host> hosts;  // one for each name, in their order
    std::size_t num_ignored = 0;
  };

  explicit Oat(const Options& options) {
    attest_oat_options o = ATTEST_OAT_OPTIONS_INIT;
    o.server = options.server.c_str();
    o.api_url = options.api_url.c_str();
    o.ca = options.ca.data(), o.ca_len = options.ca.size();
    o.certificate = options.certificate.data(), o.certificate_len = options.certificate.size();
    o.key = options.key.data(), o.key_len = options.key.size();
    o.auth_blob = options.auth_blob.data(), o.auth_blob_len = options.auth_blob.size();
    o.dialect = options.dialect;
    o.port = options.port;
    o.batch = options.batch;
    o.no_name_check = options.check_name ? 0 : 1;
    handle_ = Owned::make(attest_oat_new, &o);
  }

  Answer poll(const std::vector<std::string>& names, std::int64_t now,
              std::uint32_t timeout_ms = 30000) const {
    std::vector<attest_host_name> asked;
    for (const std::string& name : names) asked.push_back({name.data(), name.size()});
    const auto answer = Handle<attest_oat_answer, attest_oat_answer_free>::make(
        attest_oat_poll, get(), asked.data(), asked.size(), now, timeout_ms);
    Answer out;
    out.num_ignored = attest_oat_answer_num_ignored(answer.get());
    for (std::size_t i = 0; i < attest_oat_answer_num_hosts(answer.get()); ++i) {
      attest_oat_host one = ATTEST_OAT_HOST_INIT;
      check(attest_oat_answer_host(&one, answer.get(), i));
      Host host;
      host.name.assign(one.name, one.name_len);
      host.verdict = one.verdict;
      host.reason = one.reason;
      if (one.measured_at >= 0) host.measured_at = one.measured_at;
      out.hosts.push_back(std::move(host));
    }
    return out;
  }

  // From another thread.
  void cancel() noexcept { attest_oat_cancel(handle_.get()); }
  const attest_oat* get() const noexcept { return handle_.get(); }

 private:
  using Owned = Handle<attest_oat, attest_oat_free>;
  Owned handle_;
};

// See host_verdicts.h.
class HostVerdicts {
 public:
  struct Verdict {
    std::string name;
    attest_verdict verdict = ATTEST_VERDICT_UNKNOWN;
    std::optional<double> measured_at;
  };
  struct Decision {
    std::vector<attest_host_reason> reasons;
    std::vector<std::size_t> to_fetch;  // indices of names

    bool trusted(std::size_t index) const { return reasons.at(index) == ATTEST_HOST_TRUSTED; }
  };

  explicit HostVerdicts(double ttl, double skew = 30, std::size_t limit = 100000) {
    attest_host_verdicts_options o = ATTEST_HOST_VERDICTS_OPTIONS_INIT;
    o.ttl = ttl, o.skew = skew, o.limit = limit;
    handle_ = Owned::make(attest_host_verdicts_new, &o);
  }

  Decision decide(const std::vector<std::string_view>& names, double now, double monotonic) const {
    std::vector<attest_host_name> asked;
    for (const std::string_view name : names) asked.push_back({name.data(), name.size()});
    std::vector<std::uint8_t> reasons(names.size());
    std::size_t num_to_fetch = 0;
    Decision out;
    out.to_fetch.resize(names.size());
    check(attest_host_verdicts_decide(reasons.data(), out.to_fetch.data(), &num_to_fetch,
                                      handle_.get(), asked.data(), asked.size(), now, monotonic));
    out.to_fetch.resize(num_to_fetch);
    for (const std::uint8_t reason : reasons) {
      out.reasons.push_back(static_cast<attest_host_reason>(reason));
    }
    return out;
  }
  void put(const std::vector<Verdict>& answers, double now, double monotonic) {
    std::vector<attest_host_verdict> batch;
    for (const Verdict& a : answers) {
      batch.push_back({a.name.data(), a.name.size(), a.verdict, a.measured_at.value_or(kNoTime)});
    }
    check(attest_host_verdicts_put(handle_.get(), batch.data(), batch.size(), now, monotonic));
  }
  void clear() noexcept { attest_host_verdicts_clear(handle_.get()); }
  std::size_t size() const noexcept { return attest_host_verdicts_count(handle_.get()); }

 private:
  using Owned = Handle<attest_host_verdicts, attest_host_verdicts_free>;
  static constexpr double kNoTime = std::numeric_limits<double>::quiet_NaN();
  Owned handle_;
};

// See boot_config.h. Options are C's: set what you know.
class BootConfig {
 public:
  // See attest_boot_problem.
  struct Problem {
    std::int32_t code = 0;
    std::string id;
    attest_severity severity = ATTEST_SEVERITY_NONE;
    std::optional<std::int64_t> line;
    std::string message;
  };

  static std::string render(const attest_boot_render_options& options) {
    return text_of(attest_boot_config_render, &options);
  }
  // Whether the file changed.
  static bool switch_file(const std::string& path, const attest_boot_switch_options& options) {
    int changed = 0;
    check(attest_boot_config_switch(&changed, path.c_str(), &options));
    return changed != 0;
  }

  // Checks a configuration.
  explicit BootConfig(std::string_view text,
                      const attest_boot_check_options& options = ATTEST_BOOT_CHECK_OPTIONS_INIT)
      : handle_(Owned::make(attest_boot_config_check, text.data(), text.size(), &options)) {}

  attest_boot_format format() const noexcept {
    return attest_boot_config_get_format(handle_.get());
  }
  std::vector<Problem> problems() const {
    std::vector<Problem> out(attest_boot_config_num_problems(handle_.get()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      attest_boot_problem p = ATTEST_BOOT_PROBLEM_INIT;
      check(attest_boot_config_problem(&p, handle_.get(), i));
      out[i] = {p.code, p.id, p.severity, std::nullopt, p.message};
      if (p.line >= 0) out[i].line = p.line;
    }
    return out;
  }

 private:
  using Owned = Handle<attest_boot_config, attest_boot_config_free>;
  Owned handle_;
};

}  // namespace libattest

#endif  // LIBATTEST_ATTEST_HPP_
