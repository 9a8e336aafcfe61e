// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/value.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/parse_error.h"

using attest::boot::Format;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

constexpr std::array<Format, 3> kFormats = {Format::kPxelinux, Format::kIpxe, Format::kGrub};

std::string path(std::string_view value, Format format = Format::kPxelinux) {
  return parse_error_of([&] {
    attest::boot::check_path("kernel", value, format);
    return 0;
  });
}
std::string arguments(std::string_view value, Format format = Format::kPxelinux) {
  return parse_error_of([&] {
    attest::boot::check_arguments("append", value, format);
    return 0;
  });
}
std::string identifier(std::string_view value) {
  return parse_error_of([&] {
    attest::boot::check_identifier("root_uuid", value);
    return 0;
  });
}
std::string label(std::string_view value) {
  return parse_error_of([&] {
    attest::boot::check_label("label", value);
    return 0;
  });
}

}  // namespace

TEST_CASE("what real configurations have in them is let through") {
  for (const Format format : kFormats) {
    CHECK(path("3c1d-uuid/deploy_kernel", format) == "accepted");
    CHECK(path("/tboot.gz", format) == "accepted");
    CHECK(path("http://192.0.2.1:8080/uuid/kernel?temp_url_sig=a", format) == "accepted");
    CHECK(arguments("", format) == "accepted");
    CHECK(arguments("console=ttyS0,115200 -- nofb ip=[::1]:dhcp a=b=c x='y", Format::kPxelinux) ==
          "accepted");
    CHECK(arguments("ipa-api-url=http://192.0.2.1:6385 net.ifnames=0 %x ~ @ ^ ! (x) --", format) ==
          "accepted");
  }
  CHECK(path("(tftp,192.0.2.1)/tboot.gz", Format::kGrub) == "accepted");
  CHECK(path("http://h/k?a=b&c=d", Format::kIpxe) == "accepted");
}

TEST_CASE("no byte but printable ASCII is let through, wherever it stands") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (c >= ' ' && c <= '~') continue;
    for (const Format format : kFormats) {
      for (const std::string& value :
           {std::string(1, c) + "ab", "a" + std::string(1, c) + "b", "ab" + std::string(1, c)}) {
        INFO("byte " << byte);
        CHECK_THAT(path(value, format), StartsWith("kernel: byte "));
        CHECK_THAT(arguments(value, format), StartsWith("append: byte "));
        CHECK_THAT(identifier(value), StartsWith("root_uuid: byte "));
        CHECK_THAT(label(value), StartsWith("label: byte "));
      }
    }
  }
  CHECK(arguments("a\nb") == "append: byte 1: a line end would begin a line of its own");
  CHECK(arguments("a\x1b[2J") == "append: byte 1: '\\x1b' is not printable ASCII");
}

TEST_CASE("what has a meaning of its own is refused in every format") {
  for (const Format format : kFormats) {
    for (const std::string_view text : {"---", "a---b", " --- ", "----", "{", "}", "{{ ROOT }}",
                                        "{%", "${x}", "((", "))", "(( ROOT ))", "\\", "a\\"}) {
      INFO(text);
      CHECK_THAT(arguments(text, format), Contains("has a meaning of its own"));
      CHECK_THAT(arguments("x " + std::string(text) + " y", format),
                 Contains("has a meaning of its own"));
      CHECK_THAT(path("x" + std::string(text), format), StartsWith("kernel: byte "));
    }
  }
  CHECK(arguments("quiet --- x") ==
        "append: byte 6: '---' has a meaning of its own between the modules of mboot.c32");
}

TEST_CASE("each format has characters of its own") {
  for (const std::string_view text : {";", "#", "||", "&&", "a;b", "a#b", "a || goto b"}) {
    INFO(text);
    CHECK_THAT(arguments(text, Format::kIpxe), Contains("in iPXE scripts"));
    CHECK(arguments(text, Format::kPxelinux) == "accepted");
  }
  for (const std::string_view text : {";", "$x", "\"", "'", "`", "#", "&", "|", "<", ">"}) {
    INFO(text);
    CHECK_THAT(arguments(text, Format::kGrub), Contains("in GRUB configurations"));
    CHECK(arguments(text, Format::kPxelinux) == "accepted");
  }
}

TEST_CASE("a path is one word and no option") {
  for (const Format format : kFormats) {
    CHECK(path("", format) == "kernel: byte 0: is empty");
    CHECK(path("a b", format) == "kernel: byte 1: a space would end the path");
    CHECK_THAT(path("-a", format), Contains("would be taken for an option"));
    CHECK_THAT(path("--name", format), StartsWith("kernel: byte 0: "));
    CHECK(path(std::string(4096, 'a'), format) == "accepted");
    CHECK(path(std::string(4097, 'a'), format) == "kernel: byte 4096: is longer than 4096 bytes");
  }
}

TEST_CASE("identifiers and labels are of few characters") {
  CHECK(identifier("12345678-1234-1234-1234-1234567890abcdef") == "accepted");
  CHECK(identifier("0x1A2b3c4d") == "accepted");
  CHECK(identifier("") == "root_uuid: byte 0: is empty");
  CHECK(identifier("a b") == "root_uuid: byte 1: ' ' is no letter, no digit and none of -");
  CHECK_THAT(identifier("a_b"), StartsWith("root_uuid: byte 1"));
  CHECK_THAT(identifier("\\g<1>"), StartsWith("root_uuid: byte 0"));
  CHECK(identifier(std::string(64, 'a')) == "accepted");
  CHECK_THAT(identifier(std::string(65, 'a')), Contains("longer than 64 bytes"));
  CHECK(label("trusted_boot-1.2") == "accepted");
  CHECK_THAT(label("a\"b"), StartsWith("label: byte 1"));
  CHECK_THAT(label("a/b"), StartsWith("label: byte 1"));
}
