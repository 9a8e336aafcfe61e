// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/https.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "libattest/base/base64.h"
#include "libattest/base/pem.h"
#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "libattest/crypto/key.h"
#include "libattest/crypto/tls.h"
#include "libattest/net/error.h"

namespace attest::net {
namespace {

constexpr std::size_t kMaxHeaders = std::size_t{64} << 10U;

// libcurl counts how often it was initialised, under a lock of its own (7.84 and newer). It is
// never ended: the host may use it, too.
class Library {
 public:
  static const Library& get() {
    static const Library library;  // a constructor that threw is tried again
    return library;
  }

 private:
  Library() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw std::runtime_error("libcurl can not be used in this process");
    }
    const char* tls = curl_version_info(CURLVERSION_NOW)->ssl_version;
    if (tls == nullptr || !std::string_view(tls).starts_with("OpenSSL/3.")) {
      throw std::runtime_error("this libcurl is not built with OpenSSL 3");
    }
  }
};

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};

// A list of headers, one of which may be a secret.
void wipe_and_free(curl_slist* list) {
  for (curl_slist* header = list; header != nullptr; header = header->next) {
    explicit_bzero(header->data, std::strlen(header->data));
  }
  curl_slist_free_all(list);
}

// Without a race between socket() and a fork of another thread.
curl_socket_t open_socket(void* /*user*/, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Called when a TLS context was made, before it is used.
CURLcode keep_secrets(CURL* /*easy*/, void* ssl_ctx, void* /*user*/) {
  crypto::keep_secrets(ssl_ctx);
  return CURLE_OK;
}

// What a transfer may give us. libcurl's callbacks are C: nothing may be thrown out of them.
struct Receiver {
  std::string body;
  std::size_t headers = 0;
  std::size_t max_size = 0;
  const char* why = nullptr;  // it was ended
  bool no_memory = false;

  static std::size_t take_body(char* data, std::size_t size, std::size_t count,
                               void* user) noexcept {
    auto& self = *static_cast<Receiver*>(user);
    const std::size_t n = size * count;
    if (n > self.max_size - self.body.size()) {
      self.why = "the answer is too large";
      return 0;
    }
    try {
      self.body.append(data, n);
    } catch (...) {
      self.no_memory = true;
      return 0;
    }
    return n;
  }

  static std::size_t take_header(char* /*data*/, std::size_t size, std::size_t count,
                                 void* user) noexcept {
    auto& self = *static_cast<Receiver*>(user);
    const std::size_t n = size * count;
    self.headers += n;
    if (self.headers <= kMaxHeaders) return n;
    self.why = "the answer's headers are too large";
    return 0;
  }
};

// `why`: libcurl's words, which alone tell a peer that hung up while shaking hands from one that is
// not who it should be.
Failure failure_of(CURLcode code, std::string_view why) noexcept {
  const bool hung_up = why.find("SSL_ERROR_SYSCALL") != std::string_view::npos ||
                       why.find("Connection reset") != std::string_view::npos;
  if (code == CURLE_SSL_CONNECT_ERROR && hung_up) return Failure::kNetwork;
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
      return Failure::kPeer;
    case CURLE_OPERATION_TIMEDOUT:
      return Failure::kTimeout;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_UNSUPPORTED_PROTOCOL:  // what HTTP/0.9 is called
      return Failure::kAnswer;
    default:
      return Failure::kNetwork;
  }
}

}  // namespace

void Credentials::check(OurCertificate ours) const {
  const auto wants_pem = [](const std::string& text, const char* what) {
    if (text.find("-----BEGIN ") == std::string::npos || text.find('\0') != std::string::npos) {
      throw std::invalid_argument(std::string(what) + " is not a PEM text");
    }
  };
  wants_pem(ca, "the CA certificate");
  if (ours == OurCertificate::kOptional && certificate.empty() && key.empty()) return;
  wants_pem(certificate, "the client certificate");
  wants_pem(key, "the client key");
  if (key.find("ENCRYPTED") != std::string::npos) {
    throw std::invalid_argument("the client key is encrypted: decrypt it first");
  }
}

class Https::Connection {
 public:
  Connection(std::string_view who, const Endpoint& endpoint, const Credentials& credentials,
             const Call& call, std::string pinned)
      : credentials_(credentials),
        call_(call),
        url_("https://" + endpoint.text()),
        who_(std::string(who) + ' ' + endpoint.text()),
        pinned_(std::move(pinned)) {
    Library::get();
    easy_.reset(curl_easy_init());
    multi_.reset(curl_multi_init());
    if (!easy_ || !multi_) throw std::bad_alloc();
    set_up_process();
    set_up_tls();
    set_up_http();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Answer ask(const char* method, std::string_view path, const std::string_view* json,
             std::size_t max_size);
  void add_post_header(const char* line);
  const std::string& who() const noexcept { return who_; }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(easy_.get(), option, value);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLE_OK) {
      throw std::runtime_error("this libcurl lacks what libattest needs: " +
                               std::string(curl_easy_strerror(code)));
    }
  }
  void set_blob(CURLoption option, const std::string& text) {
    // libcurl only reads it; its structure has no const.
    curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
    set(option, &blob);
  }

  void set_up_process();
  void set_up_tls();
  void set_up_pin();
  void set_up_http();
  CURLcode perform();
  void check_transfer(CURLcode code, const Receiver& receiver);
  void check_leaf();

  const Credentials& credentials_;
  const Call& call_;
  std::string url_;
  std::string who_;
  std::string pinned_;  // PEM, or empty
  std::vector<std::uint8_t> pinned_der_;
  bool leaf_checked_ = false;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::unique_ptr<curl_slist, Freed<wipe_and_free>> post_headers_;
  std::unique_ptr<CURLM, Freed<curl_multi_cleanup>> multi_;
  std::unique_ptr<CURL, Freed<curl_easy_cleanup>> easy_;  // goes first
};

// What the host's environment, files and signals might decide.
void Https::Connection::set_up_process() {
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  // A name that is still being looked up when the call ends is left to the resolver's own thread.
  set(CURLOPT_QUICK_EXIT, 1L);
}

void Https::Connection::set_up_tls() {
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  // Debian's libcurl has a folder of trusted certificates by default, beside those of the blob.
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  set(CURLOPT_SSL_CTX_FUNCTION, &keep_secrets);
  set(CURLOPT_SSLCERTTYPE, "PEM");
  set(CURLOPT_SSLKEYTYPE, "PEM");
  if (!credentials_.certificate.empty()) {
    set_blob(CURLOPT_SSLCERT_BLOB, credentials_.certificate);
    set_blob(CURLOPT_SSLKEY_BLOB, credentials_.key);
  }
  set(CURLOPT_KEYPASSWD, "");  // OpenSSL would ask for one on the terminal
  if (!pinned_.empty()) {
    set_up_pin();
    return;
  }
  set_blob(CURLOPT_CAINFO_BLOB, credentials_.ca);
  set(CURLOPT_SSL_VERIFYHOST, credentials_.name_check == NameCheck::kName ? 2L : 0L);
}

// The certificate is the only anchor and its key the only one to shake hands with: a certificate
// that it issued itself has another key. That the bytes are the same is seen after the handshake,
// before anything of the answer is used.
void Https::Connection::set_up_pin() {
  const PemBlock block = parse_pem(pinned_);
  if (block.label != "CERTIFICATE") throw std::invalid_argument("what is pinned is no certificate");
  const std::vector<std::uint8_t> key = crypto::PublicKey::from_certificate(block.data).spki();
  const crypto::Digest digest = crypto::Hasher(crypto::Hash::kSha256)(key);
  pinned_der_ = block.data;
  set_blob(CURLOPT_CAINFO_BLOB, pinned_);
  set(CURLOPT_SSL_VERIFYHOST, 0L);
  set(CURLOPT_PINNEDPUBLICKEY, ("sha256//" + to_base64(digest.bytes())).c_str());
  set(CURLOPT_CERTINFO, 1L);
}

void Https::Connection::set_up_http() {
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_USERAGENT, "libattest");
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_WRITEFUNCTION, &Receiver::take_body);
  set(CURLOPT_HEADERFUNCTION, &Receiver::take_header);
  set(CURLOPT_PATH_AS_IS, 1L);
  for (const char* header : {"Content-Type: application/json", "Expect:"}) add_post_header(header);
}

void Https::Connection::add_post_header(const char* line) {
  curl_slist* longer = curl_slist_append(post_headers_.get(), line);
  if (longer == nullptr) throw std::bad_alloc();
  (void)post_headers_.release();
  post_headers_.reset(longer);
}

CURLcode Https::Connection::perform() {
  const auto require = [](CURLMcode code) {
    if (code == CURLM_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLM_OK) throw std::runtime_error(curl_multi_strerror(code));
  };
  require(curl_multi_add_handle(multi_.get(), easy_.get()));
  struct Remove {
    CURLM* multi;
    CURL* easy;
    ~Remove() { curl_multi_remove_handle(multi, easy); }
  } const remove{multi_.get(), easy_.get()};
  for (int running = 1; running != 0;) {
    require(curl_multi_perform(multi_.get(), &running));
    if (running == 0) break;
    call_.check();
    const auto slice = std::min(Call::kSlice, call_.remaining());
    require(curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(slice.count()), nullptr));
  }
  int queued = 0;
  const CURLMsg* message = curl_multi_info_read(multi_.get(), &queued);
  if (message == nullptr) throw std::runtime_error("libcurl ended a transfer without a result");
  return message->data.result;
}

void Https::Connection::check_transfer(CURLcode code, const Receiver& receiver) {
  if (receiver.no_memory || code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (receiver.why != nullptr) {
    throw NetError(Failure::kAnswer, who_ + ": " + std::string(receiver.why));
  }
  if (code == CURLE_OK) return;
  if (code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE) {
    throw std::invalid_argument("the certificate, key or CA can not be used: " +
                                printable(error_.data()));
  }
  const char* why = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  throw NetError(failure_of(code, why), who_ + ": " + printable(why));
}

// The first certificate of the chain that was shown is, byte for byte, the one that is pinned. A
// connection that is used again showed it when it was new.
void Https::Connection::check_leaf() {
  long num_new = 0;
  if (leaf_checked_ &&
      curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &num_new) == CURLE_OK && num_new == 0) {
    return;
  }
  constexpr std::string_view kCertificate = "Cert:";
  curl_certinfo* chain = nullptr;
  bool same = false;
  if (curl_easy_getinfo(easy_.get(), CURLINFO_CERTINFO, &chain) == CURLE_OK && chain != nullptr &&
      chain->num_of_certs > 0) {
    for (const curl_slist* field = chain->certinfo[0]; field != nullptr; field = field->next) {
      const std::string_view text(field->data);
      if (!text.starts_with(kCertificate)) continue;
      same = parse_pem(text.substr(kCertificate.size())).data == pinned_der_;
    }
  }
  leaf_checked_ = same;
  if (!same) {
    throw NetError(Failure::kPeer, who_ + ": shows another certificate than the one it registered");
  }
}

Answer Https::Connection::ask(const char* method, std::string_view path,
                              const std::string_view* json, std::size_t max_size) {
  call_.check();
  Receiver receiver;
  receiver.max_size = max_size;
  error_[0] = '\0';
  set(CURLOPT_URL, (url_ + std::string(path)).c_str());
  set(CURLOPT_WRITEDATA, &receiver);
  set(CURLOPT_HEADERDATA, &receiver);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(call_.remaining().count()));
  if (json != nullptr) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json->size()));
    set(CURLOPT_POSTFIELDS, json->data());
    set(CURLOPT_HTTPHEADER, post_headers_.get());
  } else {
    set(CURLOPT_HTTPGET, 1L);
    set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  }
  set(CURLOPT_CUSTOMREQUEST, method);
  CURLcode code = CURLE_OK;
  try {
    code = perform();
  } catch (const NetError& e) {
    throw NetError(e.failure(), who_ + ": " + e.what());
  }
  check_transfer(code, receiver);
  if (!pinned_der_.empty()) check_leaf();
  long status = 0;
  if (curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status) != CURLE_OK) status = 0;
  if (status >= 300 && status < 400) {
    throw NetError(Failure::kAnswer, who_ + ": answers with a redirect", static_cast<int>(status));
  }
  if (status < 200 || status > 599) {
    throw NetError(Failure::kAnswer, who_ + ": the answer is not HTTP");
  }
  return {static_cast<int>(status), std::move(receiver.body)};
}

Https::Https(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Https::Https(std::string_view who, const Endpoint& endpoint, const Credentials& credentials,
             const Call& call)
    : Https(std::make_unique<Connection>(who, endpoint, credentials, call, "")) {}
Https Https::pinned(std::string_view who, const Endpoint& endpoint, std::string certificate,
                    const Credentials& credentials, const Call& call) {
  if (certificate.empty()) throw std::invalid_argument("what is pinned is no certificate");
  return Https(
      std::make_unique<Connection>(who, endpoint, credentials, call, std::move(certificate)));
}
Https::Https(Https&&) noexcept = default;
Https& Https::operator=(Https&&) noexcept = default;
Https::~Https() = default;

const std::string& Https::who() const noexcept { return connection_->who(); }
Answer Https::get(std::string_view path, std::size_t max_size) {
  return connection_->ask("GET", path, nullptr, max_size);
}
Answer Https::post(std::string_view path, std::string_view json, std::size_t max_size) {
  return connection_->ask("POST", path, &json, max_size);
}
Answer Https::remove(std::string_view path, std::size_t max_size) {
  return connection_->ask("DELETE", path, nullptr, max_size);
}
void Https::add_post_header(const char* line) { connection_->add_post_header(line); }

}  // namespace attest::net
