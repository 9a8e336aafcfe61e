// SPDX-License-Identifier: Apache-2.0

#include "libattest/api/guard.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>

#include "libattest/base/text.h"
#include "libattest/net/error.h"

namespace attest::api {
namespace {

// Of fixed size and without a destructor: recording an error can not fail, and nothing of it runs
// after the library was unloaded.
thread_local std::array<char, 512> last_error{};
thread_local int last_http_status = 0;

// Whether `c` continues a UTF-8 sequence (RFC 3629, section 3).
bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// One line: what stands in a message is escaped where it is made, and this is the last net.
attest_status record(attest_status status, std::string_view why, int http_status = 0) noexcept {
  last_http_status = http_status;
  if (why.size() >= last_error.size()) {
    std::size_t end = last_error.size() - 1;
    while (end > 0 && continues(why[end])) --end;
    why = why.substr(0, end);
  }
  char* const end = std::ranges::transform(why, last_error.begin(), [](char c) {
                      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
                    }).out;
  *end = '\0';
  return status;
}

attest_status status_of(net::Failure failure) noexcept {
  switch (failure) {
    case net::Failure::kNetwork:
      return ATTEST_E_NETWORK;
    case net::Failure::kPeer:
      return ATTEST_E_PEER;
    case net::Failure::kTimeout:
      return ATTEST_E_TIMEOUT;
    case net::Failure::kCancelled:
      return ATTEST_E_CANCELLED;
    case net::Failure::kRefused:
      return ATTEST_E_HTTP;
    case net::Failure::kAnswer:
      return ATTEST_E_ANSWER;
  }
  return ATTEST_E_INTERNAL;
}

}  // namespace

attest_status failed() noexcept {
  try {
    throw;
  } catch (const ParseError& e) {
    return record(ATTEST_E_MALFORMED, e.what());
  } catch (const RefusedError& e) {
    return record(ATTEST_E_REFUSED, e.what());
  } catch (const FileError& e) {
    return record(ATTEST_E_FILE, e.what());
  } catch (const net::NetError& e) {
    return record(status_of(e.failure()), e.what(), e.http_status());
  } catch (const ReadError& e) {
    return record(ATTEST_E_READ, e.what());
  } catch (const StateError& e) {
    return record(ATTEST_E_STATE, e.what());
  } catch (const std::invalid_argument& e) {
    return record(ATTEST_E_ARGUMENT, e.what());
  } catch (const std::bad_alloc&) {
    return record(ATTEST_E_NO_MEMORY, "out of memory");
  } catch (const std::length_error&) {
    return record(ATTEST_E_NO_MEMORY, "more than fits into memory");
  } catch (const std::exception& e) {
    return record(ATTEST_E_INTERNAL, e.what());
  } catch (...) {
    return record(ATTEST_E_INTERNAL, "unknown exception");
  }
}

void require(const void* pointer, const char* name) {
  if (pointer == nullptr) throw std::invalid_argument(std::string(name) + " is NULL");
}

Bytes bytes(const std::uint8_t* data, std::size_t len) {
  if (data == nullptr && len != 0)
    throw std::invalid_argument("data is NULL and its length is not 0");
  return {data, len};
}

std::string_view text(const char* data, std::size_t len) {
  if (data == nullptr && len != 0)
    throw std::invalid_argument("text is NULL and its length is not 0");
  return {data, len};
}

std::chrono::milliseconds timeout_of(std::uint32_t timeout_ms) {
  constexpr std::uint32_t kMost = 7U * 24 * 3600 * 1000;  // a week
  if (timeout_ms == 0) throw std::invalid_argument("timeout_ms is 0");
  return std::chrono::milliseconds(std::min(timeout_ms, kMost));
}

}  // namespace attest::api

extern "C" const char* attest_last_error(void) { return attest::api::last_error.data(); }
extern "C" int attest_last_http_status(void) { return attest::api::last_http_status; }
