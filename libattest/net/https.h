// SPDX-License-Identifier: Apache-2.0

// HTTPS to one peer, over libcurl. Nothing of the host process decides anything here: no proxy, no
// .netrc, no system store of certificates, no signal, no file. TLS 1.2 and newer; the peer's chain
// is always verified. No redirects. Answers are bounded.

#ifndef LIBATTEST_NET_HTTPS_H_
#define LIBATTEST_NET_HTTPS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/net/address.h"
#include "libattest/net/call.h"

namespace attest::net {

// Whether the peer's certificate must be for the name or address it is asked at. Never "no check".
enum class NameCheck : std::uint8_t { kName, kChainOnly };

// Whether a service has to be shown a certificate of ours.
enum class OurCertificate : std::uint8_t { kRequired, kOptional };

// PEM texts.
struct Credentials {
  std::string ca;           // the only certificates that are trusted
  std::string certificate;  // ours; empty: none is shown
  std::string key;          // its private key, not encrypted
  NameCheck name_check = NameCheck::kName;

  // Throws std::invalid_argument for what can not be PEM, and for an encrypted key, for whose
  // password OpenSSL would ask on the terminal.
  void check(OurCertificate ours) const;
};

struct Answer {
  int status = 0;  // of HTTP; 200 to 299 or 400 to 599
  std::string body;
};

class Https {
 public:
  // `who` ("verifier") names the peer in messages. `credentials` and `call` must outlive it.
  Https(std::string_view who, const Endpoint& endpoint, const Credentials& credentials,
        const Call& call);
  // The same to a peer that must show exactly this certificate, a PEM text of one block, and is
  // not asked for a name: credentials.ca is not looked at.
  static Https pinned(std::string_view who, const Endpoint& endpoint, std::string certificate,
                      const Credentials& credentials, const Call& call);
  Https(Https&& other) noexcept;
  Https& operator=(Https&& other) noexcept;
  ~Https();

  // One exchange; `path` begins with "/" and is sent as it is. A request without a body has no
  // Content-Type: Keylime 7.12 refuses it otherwise. Throws NetError, also for an answer larger
  // than `max_size`, for a redirect, and for one that is neither a success nor a refusal.
  Answer get(std::string_view path, std::size_t max_size);
  Answer post(std::string_view path, std::string_view json, std::size_t max_size);
  Answer remove(std::string_view path, std::size_t max_size);

  // Sends `line`, "Name: value", with every post() from now on. It holds no line end: the caller
  // has looked. Its copy here is wiped; what libcurl and TLS make of it is theirs.
  void add_post_header(const char* line);

  const std::string& who() const noexcept;  // "verifier 192.0.2.1:8881"

 private:
  class Connection;
  explicit Https(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace attest::net

#endif  // LIBATTEST_NET_HTTPS_H_
