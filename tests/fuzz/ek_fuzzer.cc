// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::EndorsementKey::load, and with it EK certificates, and the chain of one to a
// root. Property: a key that loads is one that a credential can be made for, and an error's offset
// lies within the input.
#include <algorithm>
#include <cstdlib>

#include "libattest/base/error.h"
#include "libattest/tpm/credential.h"
#include "libattest/tpm/ek_certificate.h"

namespace {

using attest::Bytes;
using attest::tpm::EndorsementKey;

void require(bool holds) {
  if (!holds) std::abort();
}

void look(Bytes area, Bytes certificate) {
  try {
    const EndorsementKey ek = EndorsementKey::load(area, certificate);
    require(ek.aes_bits() == 128 || ek.aes_bits() == 256);
    const std::vector<std::uint8_t> name(34, 1);
    const auto made = attest::tpm::make_credential(ek, name, Bytes(name).first(32));
    require(made.id_object.size() > 32 + 34 && made.encrypted_secret.size() > 64);
    if (!ek.certificate()) return;
    (void)ek.certificate()->subject();
    // As its own root: every check of a chain is made.
    attest::tpm::verify_ek_certificate(*ek.certificate(), {{*ek.certificate()}, {}, 1900000000});
  } catch (const attest::ParseError& e) {
    require(e.offset() <= std::max(area.size(), certificate.size()));
  } catch (const attest::RefusedError&) {
    // It is no EK, or none that anybody vouches for.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  look({data, size}, {});
  look({}, {data, size});
  return 0;
}
