// SPDX-License-Identifier: Apache-2.0

// File signatures in a measurement list (security.ima), and the keys that verify them.
// Linux: security/integrity/integrity.h, struct signature_v2_hdr.

#ifndef LIBATTEST_IMA_SIGNATURE_H_
#define LIBATTEST_IMA_SIGNATURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/key.h"
#include "libattest/ima/entry.h"

namespace attest::ima {

// Keys by their 32-bit id. Ids collide by accident or on purpose: all keys of an id are kept.
class Keyring {
 public:
  using Key = std::pair<crypto::PublicKey, std::uint32_t>;  // with its id

  // Each returns what it has added, or had already.
  // Subject key id's last four bytes where the certificate has one, else SHA-1 of the key bits.
  Key add_certificate(Bytes der);  // throws ParseError
  Key add_key(const crypto::PublicKey& key);
  Key add_key(const crypto::PublicKey& key, std::uint32_t id);
  // A certificate or a public key, DER or PEM. Throws ParseError for anything else, private keys
  // among it.
  Key add(Bytes in);

  bool empty() const noexcept { return num_keys_ == 0; }
  // Number of keys; the same key of the same id counts once.
  std::size_t size() const noexcept { return num_keys_; }
  const std::vector<crypto::PublicKey>* find(std::uint32_t id) const noexcept;

 private:
  std::unordered_map<std::uint32_t, std::vector<crypto::PublicKey>> keys_;
  std::size_t num_keys_ = 0;
};

enum class SignatureState : std::uint8_t {
  kNone,        // no signature
  kGood,        // a key of the keyring made it over this entry's digest
  kBad,         // a key of its id is in the keyring and did not make it
  kUnknownKey,  // no key of its id
  kMalformed,   // not a signature of a version, type or size that can vouch for this entry
  // Honest and no proof of the file's content: an EVM portable signature, which the kernel puts
  // here where there is no other and which signs the file's metadata; or a violation's signature.
  kNotForFile,
};

struct SignatureCheck {
  SignatureState state = SignatureState::kNone;
  std::uint32_t key_id = 0;
  std::string why;  // for all but kNone and kGood
};

// Checks entry.signature against entry.digest: type 3 (EVM_IMA_XATTR_DIGSIG) signs a content
// digest, type 6 (IMA_VERITY_DIGSIG) an fs-verity digest; versions 2 and 3 of the header. Whether
// an algorithm is good enough (SHA-1) is not asked here.
SignatureCheck check_signature(const Entry& entry, const Keyring& keys);

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_SIGNATURE_H_
