// SPDX-License-Identifier: Apache-2.0

// What is done with somebody else's public key: a secret that only they can know.

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <array>
#include <stdexcept>

#include "libattest/crypto/context.h"
#include "libattest/crypto/key.h"

namespace attest::crypto {
namespace {

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Group = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freed<EC_POINT_clear_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using Numbers = std::unique_ptr<BN_CTX, Freed<BN_CTX_free>>;

// The key was checked when it was made: what fails now lacks memory.
void done(int result) {
  if (result != 1) throw std::bad_alloc();
}

int nid_of(Curve curve) noexcept {
  switch (curve) {
    case Curve::kP256:
      return NID_X9_62_prime256v1;
    case Curve::kP384:
      return NID_secp384r1;
    case Curve::kP521:
      return NID_secp521r1;
  }
  return NID_undef;
}

// FIPS 186-5, A.2.2: a number of [1, order - 1], by trying until one fits.
Number random_scalar(const BIGNUM* order) {
  const auto bits = static_cast<unsigned>(BN_num_bits(order));
  Secret candidate((bits + 7) / 8);
  Number scalar(allocated(BN_new()));
  do {
    random_bytes(candidate.room());
    if (bits % 8 != 0) candidate.room()[0] &= static_cast<std::uint8_t>((1U << bits % 8) - 1U);
    allocated(BN_bin2bn(candidate.bytes().data(), static_cast<int>(candidate.bytes().size()),
                        scalar.get()));
  } while (BN_is_zero(scalar.get()) == 1 || BN_cmp(scalar.get(), order) >= 0);
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  return scalar;
}

void coordinates(const EC_GROUP* group, const EC_POINT* point, std::span<std::uint8_t> x,
                 std::span<std::uint8_t> y, BN_CTX* numbers) {
  const Number big_x(allocated(BN_new()));
  const Number big_y(allocated(BN_new()));
  done(EC_POINT_get_affine_coordinates(group, point, big_x.get(), big_y.get(), numbers));
  if (BN_bn2binpad(big_x.get(), x.data(), static_cast<int>(x.size())) < 0 ||
      BN_bn2binpad(big_y.get(), y.data(), static_cast<int>(y.size())) < 0) {
    throw std::bad_alloc();
  }
}

}  // namespace

std::vector<std::uint8_t> PublicKey::encrypt_oaep(Hash hash, Bytes label, Bytes message) const {
  const QuietErrors quiet;
  if (type_ != KeyType::kRsa) throw std::invalid_argument("OAEP is for RSA keys");
  if (message.size() + 2 * hash_size(hash) + 2 > (bits_ + 7) / 8) {
    throw std::invalid_argument("more than fits into one OAEP block");
  }
  const EVP_MD* md = Context::get().md(hash);
  const KeyContext context(
      allocated(EVP_PKEY_CTX_new_from_pkey(Context::get().lib_ctx(), key_.get(), nullptr)));
  done(EVP_PKEY_encrypt_init(context.get()));
  done(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING));
  done(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), md));
  done(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), md));
  auto* owned = static_cast<unsigned char*>(allocated(OPENSSL_memdup(label.data(), label.size())));
  if (EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), owned, static_cast<int>(label.size())) != 1) {
    OPENSSL_free(owned);
    throw std::bad_alloc();
  }
  std::vector<std::uint8_t> out((bits_ + 7) / 8);
  std::size_t size = out.size();
  done(EVP_PKEY_encrypt(context.get(), out.data(), &size, message.data(), message.size()));
  return out;
}

KeyAgreement PublicKey::agree() const {
  const QuietErrors quiet;
  if (!curve_) throw std::invalid_argument("ECDH is for EC keys");
  const Group group(
      allocated(EC_GROUP_new_by_curve_name_ex(Context::get().lib_ctx(), nullptr, nid_of(*curve_))));
  const Numbers numbers(allocated(BN_CTX_new_ex(Context::get().lib_ctx())));
  const std::vector<std::uint8_t> theirs = key_bits();
  const Point peer(allocated(EC_POINT_new(group.get())));
  done(EC_POINT_oct2point(group.get(), peer.get(), theirs.data(), theirs.size(), numbers.get()));
  const Number scalar = random_scalar(EC_GROUP_get0_order(group.get()));
  const Point ours(allocated(EC_POINT_new(group.get())));
  const Point shared(allocated(EC_POINT_new(group.get())));
  done(EC_POINT_mul(group.get(), ours.get(), scalar.get(), nullptr, nullptr, numbers.get()));
  done(EC_POINT_mul(group.get(), shared.get(), nullptr, peer.get(), scalar.get(), numbers.get()));
  const std::size_t size = curve_size(*curve_);
  KeyAgreement out{std::vector<std::uint8_t>(size), std::vector<std::uint8_t>(size), Secret(size)};
  Secret unused(size);
  coordinates(group.get(), ours.get(), out.x, out.y, numbers.get());
  coordinates(group.get(), shared.get(), out.z.room(), unused.room(), numbers.get());
  return out;
}

}  // namespace attest::crypto
