// SPDX-License-Identifier: Apache-2.0

// The cases of Ironic's own tests of trusted boot are here, as behaviour: tests/openstack holds the
// same function against the Ironic that is installed.

#include "libattest/boot/switch.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "tests/support/parse_error.h"

using attest::boot::Format;
using attest::boot::switch_text;
using attest::boot::SwitchOptions;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string kUuid = "12345678-1234-1234-1234-1234567890abcdef";

std::string pxelinux(const std::string& label, const std::string& root, const std::string& disk) {
  return "\ndefault " + label +
         "\n\nlabel deploy\nkernel deploy_kernel\nappend initrd=deploy_ramdisk\nipappend 3\n\n"
         "label boot_partition\nkernel kernel\nappend initrd=ramdisk root=" +
         root + "\n\nlabel boot_whole_disk\nCOM32 chain.c32\nappend mbr:" + disk +
         "\n\nlabel trusted_boot\nkernel mboot\nappend tboot.gz --- kernel root=" + root +
         " --- ramdisk\n\nlabel boot_ramdisk\nkernel kernel\nappend initrd=ramdisk\n";
}

std::string grub(const std::string& label, const std::string& root, const std::string& disk) {
  return "\nset default=" + label +
         "\nset timeout=5\n\nmenuentry \"deploy\"  {\nlinuxefi deploy_kernel \"ro text\"\n}\n\n"
         "menuentry \"boot_partition\"  {\nlinuxefi kernel \"root=" +
         root + "\"\n}\n\nmenuentry \"boot_whole_disk\"  {\nlinuxefi chain.c32 mbr:" + disk +
         "\n}\n\nmenuentry 'trusted_boot' {\nmultiboot2 tboot.gz\nmodule2 kernel root=" + root +
         "\n}\n";
}

std::string ipxe(const std::string& label, const std::string& root) {
  return "\n#!ipxe\n\ndhcp\n\ngoto " + label +
         "\n\n:deploy\nkernel deploy_kernel || goto retry\nboot\n\n:retry\nsleep 1\ngoto " + label +
         "\n\n:boot_partition\nkernel kernel root=" + root +
         "\nboot\n\n:trusted_boot\nkernel tboot\nmodule kernel root=" + root +
         "\nboot\n\n:boot_whole_disk\nsanboot --no-describe\n";
}

SwitchOptions to(Format format, std::string_view label) {
  SwitchOptions o;
  o.format = format;
  o.label = label;
  return o;
}

SwitchOptions trusted(Format format = Format::kPxelinux) {
  SwitchOptions o = to(format, "trusted_boot");
  o.root_uuid = kUuid;
  return o;
}

std::string error_of(const std::string& text, const SwitchOptions& o) {
  return parse_error_of([&] { return switch_text(text, o, "config"); });
}

}  // namespace

TEST_CASE("trusted boot is chosen, and the root replaced in every label") {
  const std::string root = "UUID=" + kUuid;
  CHECK(switch_text(pxelinux("deploy", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}"), trusted(), "c") ==
        pxelinux("trusted_boot", root, "{{ DISK_IDENTIFIER }}"));
  CHECK(switch_text(grub("deploy", "(( ROOT ))", "(( DISK_IDENTIFIER ))"), trusted(Format::kGrub),
                    "c") == grub("trusted_boot", root, "(( DISK_IDENTIFIER ))"));
  // Each `goto` that begins a line, and none of the others.
  CHECK(switch_text(ipxe("deploy", "{{ ROOT }}"), trusted(Format::kIpxe), "c") ==
        ipxe("trusted_boot", root));
}

TEST_CASE("a whole disk takes its identifier and leaves the root alone") {
  SwitchOptions o = to(Format::kPxelinux, "boot_whole_disk");
  o.disk_identifier = "0x12345678";
  CHECK(switch_text(pxelinux("deploy", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}"), o, "c") ==
        pxelinux("boot_whole_disk", "{{ ROOT }}", "0x12345678"));
  o.format = Format::kGrub;
  CHECK(switch_text(grub("deploy", "(( ROOT ))", "(( DISK_IDENTIFIER ))"), o, "c") ==
        grub("boot_whole_disk", "(( ROOT ))", "0x12345678"));
  // iPXE boots the disk that the firmware would, and needs no placeholder.
  o.format = Format::kIpxe;
  CHECK(switch_text(ipxe("deploy", "{{ ROOT }}"), o, "c") == ipxe("boot_whole_disk", "{{ ROOT }}"));
}

TEST_CASE("ramdisks and anaconda take nothing, whatever is given") {
  SwitchOptions o = to(Format::kPxelinux, "boot_ramdisk");
  const std::string text = pxelinux("deploy", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}");
  const std::string expected = pxelinux("boot_ramdisk", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}");
  CHECK(switch_text(text, o, "c") == expected);
  o.root_uuid = kUuid;
  CHECK(switch_text(text, o, "c") == expected);
  o.root_uuid.reset();
  o.disk_identifier = "0x1";
  CHECK(switch_text(text, o, "c") == expected);
}

TEST_CASE("both styles of placeholder are replaced, in every mixture and wherever they stand") {
  const std::string head = "default deploy\nlabel trusted_boot\n";
  const std::string done = "default trusted_boot\nlabel trusted_boot\n";
  const std::string root = "UUID=" + kUuid;
  for (const auto& [in, out] : std::initializer_list<std::pair<std::string, std::string>>{
           {"{{ ROOT }}", root},
           {"(( ROOT ))", root},
           {"{{ ROOT ))", root},
           {"(( ROOT }}", root},
           {"{{{ ROOT }}}", "{" + root + "}"},
           {"a={{ ROOT }},(( ROOT ))b", "a=" + root + "," + root + "b"},
           {"{{ ROOT {{ ROOT }}", "{{ ROOT " + root}}) {
    INFO(in);
    CHECK(switch_text(head + in, trusted(), "c") == done + out);
  }
  for (const std::string in : {"{{ROOT}}", "{ ROOT }", "{{ root }}", "{{  ROOT }}", "{( ROOT ))",
                               "{{ ROOT }", "{{ ROO", "{{ ROOT ", " ROOT }}", "ROOT"}) {
    INFO(in);
    CHECK_THAT(error_of(head + in, trusted()),
               StartsWith("config: line 2: neither this label nor another one has the placeholder "
                          "{{ ROOT }}, or UUID=" +
                          kUuid));
  }
}

TEST_CASE("doing it twice is doing it once") {
  const auto twice = [](const std::string& text, const SwitchOptions& o) {
    const std::string once = switch_text(text, o, "c");
    CHECK(once != text);
    CHECK(switch_text(once, o, "c") == once);
  };
  twice(pxelinux("deploy", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}"), trusted());
  twice(grub("deploy", "(( ROOT ))", "(( DISK_IDENTIFIER ))"), trusted(Format::kGrub));
  twice(ipxe("deploy", "{{ ROOT }}"), trusted(Format::kIpxe));
}

TEST_CASE("another root than the one that is there is not taken for it") {
  const std::string text =
      switch_text(pxelinux("deploy", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}"), trusted(), "c");
  for (const std::string& other :
       {kUuid.substr(1), kUuid.substr(0, kUuid.size() - 1), kUuid + "0", std::string("1")}) {
    SwitchOptions o = trusted();
    o.root_uuid = other;
    CHECK_THAT(error_of(text, o), Contains("neither this label nor another one"));
  }
  CHECK_THAT(error_of("default x\nlabel trusted_boot\nappend root=PARTUUID=" + kUuid, trusted()),
             Contains("neither"));
}

TEST_CASE("line ends become those of Unix, as in Ironic") {
  CHECK(switch_text("default a\r\nlabel b\rlabel c", to(Format::kPxelinux, "b"), "c") ==
        "default b\nlabel b\nlabel c");
}

TEST_CASE("elilo's configurations are switched as GRUB's") {
  const std::string text =
      "default=deploy\n\nimage=k\n\tlabel=deploy\nimage=k\n label=boot_partition\n"
      "\tappend=\"root={{ ROOT }}\"\n";
  SwitchOptions o = to(Format::kGrub, "boot_partition");
  o.root_uuid = "a";
  CHECK(switch_text(text, o, "c") ==
        "default=boot_partition\n\nimage=k\n\tlabel=deploy\nimage=k\n label=boot_partition\n"
        "\tappend=\"root=UUID=a\"\n");
}

TEST_CASE("a label that is not there is an error, and names the line") {
  const std::string text = pxelinux("deploy", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}");
  CHECK(error_of(text, to(Format::kPxelinux, "boot_iscsi")) ==
        "config: line 2: can not be switched to 'boot_iscsi': the configuration has no such label");
  CHECK_THAT(error_of("default a\nlabel trusted_boot2\nkernel trusted_boot\n", trusted()),
             Contains("no such label"));
  CHECK_THAT(error_of("#!ipxe\ngoto a\n :trusted_boot\n", trusted(Format::kIpxe)),
             Contains("no such label"));
  CHECK_THAT(error_of("set default=a\nmenuentry \"trusted_boot x\" {\n}\n", trusted(Format::kGrub)),
             Contains("no such label"));
  CHECK_THAT(error_of("set default=a\nmenuentry \"trusted_boot\n", trusted(Format::kGrub)),
             Contains("no such label"));
}

TEST_CASE("default lines that the loader and Ironic would not read alike are errors") {
  const std::string rest = "label trusted_boot\nappend root={{ ROOT }}\n";
  CHECK(error_of("default a\ndefault b\n" + rest, trusted()) ==
        "config: line 2: a second 'default ' line: line 1 is the first");
  CHECK(error_of("default a\n" + rest + "DEFAULT b\n", trusted()) ==
        "config: line 4: 'DEFAULT b' chooses a label, too, and is not written as 'default LABEL' "
        "at the line's start");
  CHECK_THAT(error_of(" default b\n" + rest, trusted()), StartsWith("config: line 1: 'default b'"));
  CHECK_THAT(error_of("default\tb\n" + rest, trusted()), StartsWith("config: line 1: "));
  CHECK(error_of(rest, trusted()) ==
        "config: line 1: this is no PXELINUX configuration with a line 'default LABEL'");
  CHECK_THAT(
      error_of("set default=a\nset default=b\nmenuentry trusted_boot {\n", trusted(Format::kGrub)),
      StartsWith("config: line 2: a second 'set default=' line"));
  CHECK_THAT(error_of("set default=a\n  set default=b\n", trusted(Format::kGrub)),
             StartsWith("config: line 2: 'set default=b' chooses a label, too"));
  CHECK_THAT(error_of("#!ipxe\n goto a\n:trusted_boot\n", trusted(Format::kIpxe)),
             StartsWith("config: line 1: this is no iPXE configuration"));
}

TEST_CASE("a configuration of another kind is an error") {
  CHECK(error_of(pxelinux("a", "", ""), trusted(Format::kGrub)) ==
        "config: line 1: this is a configuration for PXELINUX, and the boot mode asks for one for "
        "GRUB");
  CHECK_THAT(error_of(grub("a", "", ""), trusted()), Contains("for GRUB, and the boot mode"));
  CHECK_THAT(error_of(ipxe("a", ""), trusted()), Contains("for iPXE, and the boot mode"));
  CHECK_THAT(error_of("", trusted()), StartsWith("config: line 1: "));
  CHECK_THAT(error_of("{\"json\": 1}\n", trusted()), StartsWith("config: line 1: "));
}

TEST_CASE("what is no text is an error") {
  const std::string text = pxelinux("deploy", "{{ ROOT }}", "x");
  CHECK(error_of("default a\n" + std::string(1, '\0'), trusted()) ==
        "config: line 2: has a NUL: not a text");
  CHECK(error_of(text + "# \xc3\x28\n", trusted()) == "config: line 24: is not UTF-8");
  CHECK_THAT(error_of(text + "\xff", trusted()), Contains("is not UTF-8"));
  CHECK(error_of(std::string((1U << 20U) + 1, '\n'), trusted()) ==
        "config: its size: is larger than 1 MiB");
}

TEST_CASE("a configuration that ends anywhere is switched, or is an error with its line") {
  for (const auto& [text, o] :
       {std::pair(pxelinux("deploy", "{{ ROOT }}", "x"), trusted()),
        std::pair(ipxe("deploy", "{{ ROOT }}"), trusted(Format::kIpxe)),
        std::pair(grub("deploy", "(( ROOT ))", "x"), trusted(Format::kGrub))}) {
    std::size_t switched = 0;
    for (std::size_t size = 0; size <= text.size(); ++size) {
      const std::string error = error_of(text.substr(0, size), o);
      if (error == "accepted") {
        ++switched;
      } else {
        CHECK_THAT(error, StartsWith("config: line "));
      }
    }
    CHECK(switched > 10);
    CHECK(switched < text.size() / 2);
  }
}

TEST_CASE("a switch to two things at once is refused") {
  const std::string text = pxelinux("deploy", "{{ ROOT }}", "{{ DISK_IDENTIFIER }}");
  SwitchOptions o = trusted();
  o.disk_identifier = "0x1";
  CHECK_THROWS_AS(switch_text(text, o, "c"), std::invalid_argument);
  o.root_uuid.reset();
  CHECK_THROWS_AS(switch_text(text, o, "c"), std::invalid_argument);
  o = to(Format::kPxelinux, "boot_whole_disk");
  o.root_uuid = kUuid;
  CHECK_THROWS_AS(switch_text(text, o, "c"), std::invalid_argument);
  o = trusted();
  o.root_uuid = "a b";
  CHECK_THAT(error_of(text, o), StartsWith("root_uuid: byte 1"));
  o = to(Format::kPxelinux, "a\nb");
  CHECK_THAT(error_of(text, o), StartsWith("label: byte 1"));
  o = to(Format::kPxelinux, "boot_whole_disk");
  o.disk_identifier = "\\1";
  CHECK_THAT(error_of(text, o), StartsWith("disk_identifier: byte 0"));
}
