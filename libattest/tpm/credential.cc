// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/credential.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "libattest/crypto/key.h"

namespace attest::tpm {
namespace {

using crypto::Hash;
using crypto::Secret;
using namespace std::string_view_literals;

constexpr std::array<std::uint8_t, 1> kNul{0};

std::array<std::uint8_t, 4> be32(std::size_t n) {
  return {static_cast<std::uint8_t>(n >> 24U), static_cast<std::uint8_t>(n >> 16U),
          static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)};
}

void append(std::vector<std::uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// TPM2B_x: the size and the bytes.
void append_2b(std::vector<std::uint8_t>& out, Bytes bytes) {
  out.push_back(static_cast<std::uint8_t>(bytes.size() >> 8U));
  out.push_back(static_cast<std::uint8_t>(bytes.size()));
  append(out, bytes);
}
std::vector<std::uint8_t> tpm2b_of(Bytes bytes) {
  std::vector<std::uint8_t> out;
  append_2b(out, bytes);
  return out;
}

// A TPM2B_DIGEST that is wiped after use.
Secret secret_2b(Bytes secret) {
  Secret out(2 + secret.size());
  out.room()[1] = static_cast<std::uint8_t>(secret.size());  // at most kMaxDigestSize
  std::ranges::copy(secret, out.room().subspan(2).begin());
  return out;
}

// Both derivations put blocks one after another, block i made from the number i and a fixed rest,
// and keep the first `bits` of them (a multiple of 8 for every use here).
template <typename Block>
Secret derive(Hash hash, std::size_t bits, const Block& block) {
  if (bits % 8 != 0) throw std::invalid_argument("keys are whole bytes");
  Secret out(bits / 8);
  std::span<std::uint8_t> room = out.room();
  for (std::size_t i = 1; !room.empty(); ++i) {
    const Secret made = block(be32(i));
    const std::size_t n = std::min(room.size(), crypto::hash_size(hash));
    std::ranges::copy(made.bytes().first(n), room.begin());
    room = room.subspan(n);
  }
  return out;
}

// The seed that the TPM and nobody else gets out of the encrypted secret.
struct Seed {
  Secret seed;
  std::vector<std::uint8_t> encrypted;  // TPM2B_ENCRYPTED_SECRET.secret
};

// Part 1, B.10.4: a random seed, encrypted with OAEP; the label's NUL is part of it.
Seed rsa_seed(const EndorsementKey& ek) {
  Seed out{Secret::random(crypto::hash_size(ek.name_alg())), {}};
  out.encrypted = ek.key().encrypt_oaep(ek.name_alg(), as_bytes("IDENTITY\0"sv), out.seed.bytes());
  return out;
}

// Part 1, C.6.4: an ephemeral key's part of an ECDH exchange, as a TPMS_ECC_POINT.
Seed ecc_seed(const EndorsementKey& ek) {
  const crypto::KeyAgreement agreed = ek.key().agree();
  const std::vector<std::uint8_t> point = ek.key().key_bits();  // 0x04, x, y
  const Bytes their_x = Bytes(point).subspan(1, agreed.x.size());
  Seed out{kdfe(ek.name_alg(), agreed.z.bytes(), "IDENTITY", agreed.x, their_x,
                8 * crypto::hash_size(ek.name_alg())),
           {}};
  append_2b(out.encrypted, agreed.x);
  append_2b(out.encrypted, agreed.y);
  return out;
}

}  // namespace

Secret kdfa(Hash hash, Bytes key, std::string_view label, Bytes context_u, Bytes context_v,
            std::size_t bits) {
  return derive(hash, bits, [&](const std::array<std::uint8_t, 4>& i) {
    return crypto::hmac(hash, key, {i, as_bytes(label), kNul, context_u, context_v, be32(bits)});
  });
}

Secret kdfe(Hash hash, Bytes z, std::string_view label, Bytes party_u, Bytes party_v,
            std::size_t bits) {
  crypto::Hasher hasher(hash);
  return derive(hash, bits, [&](const std::array<std::uint8_t, 4>& i) {
    Secret block(crypto::hash_size(hash));
    hasher.into(block.room(), {i, z, as_bytes(label), kNul, party_u, party_v});
    return block;
  });
}

Credential make_credential(const EndorsementKey& ek, Bytes name, Bytes secret) {
  const Hash hash = ek.name_alg();
  const std::size_t digest_bits = 8 * crypto::hash_size(hash);
  if (secret.size() > crypto::hash_size(hash) || name.empty()) {
    throw std::invalid_argument("a credential needs a Name, and a secret no longer than a digest");
  }
  const Seed made = ek.key().type() == crypto::KeyType::kRsa ? rsa_seed(ek) : ecc_seed(ek);
  const Bytes seed = made.seed.bytes();

  // Part 1, 24.4: the Name is in the key, so that a TPM decrypts to something else for any other.
  const Secret key = kdfa(hash, seed, "STORAGE", name, {}, ek.aes_bits());
  const std::vector<std::uint8_t> enc_identity =
      crypto::encrypt_aes_cfb(key.bytes(), secret_2b(secret).bytes());
  // Part 1, 24.5
  const Secret hmac_key = kdfa(hash, seed, "INTEGRITY", {}, {}, digest_bits);
  const Secret integrity = crypto::hmac(hash, hmac_key.bytes(), {enc_identity, name});

  std::vector<std::uint8_t> id_object = tpm2b_of(integrity.bytes());  // TPMS_ID_OBJECT
  append(id_object, enc_identity);
  return {tpm2b_of(id_object), tpm2b_of(made.encrypted)};
}

}  // namespace attest::tpm
