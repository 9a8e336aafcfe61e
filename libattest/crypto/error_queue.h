// SPDX-License-Identifier: Apache-2.0

// OpenSSL's error queue is the host's.

#ifndef LIBATTEST_CRYPTO_ERROR_QUEUE_H_
#define LIBATTEST_CRYPTO_ERROR_QUEUE_H_

namespace attest::crypto {

// When one goes, this thread's queue is as it was when it came. For whole calls: crypto/ itself
// does so around what fails for an input's sake, and not around each digest, which only fails
// when memory runs out.
class KeptErrorQueue {
 public:
  KeptErrorQueue() noexcept;
  ~KeptErrorQueue();
  KeptErrorQueue(const KeptErrorQueue&) = delete;
  KeptErrorQueue& operator=(const KeptErrorQueue&) = delete;
};

}  // namespace attest::crypto

#endif  // LIBATTEST_CRYPTO_ERROR_QUEUE_H_
