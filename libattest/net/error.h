// SPDX-License-Identifier: Apache-2.0

// Why a call over the network could not do its work. None of these is a verdict, and none may ever
// be read as one.

#ifndef LIBATTEST_NET_ERROR_H_
#define LIBATTEST_NET_ERROR_H_

#include <cstdint>
#include <stdexcept>
#include <string>

namespace attest::net {

enum class Failure : std::uint8_t {
  kNetwork,    // the peer was not reached, or hung up
  kPeer,       // the peer is not who it has to be: its certificate
  kTimeout,    // the call's deadline passed
  kCancelled,  // another thread ended the call
  kRefused,    // the peer answered that it would not: an HTTP status that is not a success
  kAnswer,     // the answer is not understood: too large, a redirect, not of its format
};

// what() is one line that names the peer. What it repeats of an answer is escaped and cut.
class NetError : public std::runtime_error {
 public:
  NetError(Failure failure, const std::string& what, int http_status = 0)
      : std::runtime_error(what), failure_(failure), http_status_(http_status) {}

  Failure failure() const noexcept { return failure_; }
  int http_status() const noexcept { return http_status_; }  // 0: there was none

 private:
  Failure failure_;
  int http_status_;
};

}  // namespace attest::net

#endif  // LIBATTEST_NET_ERROR_H_
