// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "libattest/base/error.h"
#include "tests/support/scratch.h"

using attest::boot::CheckOptions;
using attest::boot::Config;
using attest::boot::Format;
using attest::boot::parse_config;
using attest::boot::Severity;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// "SEVERITY id LINE: message" of each, a line each.
std::string check(const std::string& text, CheckOptions options = {}) {
  Config config = parse_config(text, std::nullopt);
  attest::boot::check(config, text, options);
  std::string out;
  for (const auto& p : config.problems.all()) {
    out += p.severity == Severity::kFailure   ? "failure "
           : p.severity == Severity::kWarning ? "warning "
                                              : "info ";
    out += std::string(id_of(p.code)) + " " + (p.line ? std::to_string(*p.line) : "-") + ": " +
           p.message + "\n";
  }
  return out;
}

std::string check_in(const std::string& text, const std::filesystem::path& root) {
  CheckOptions options;
  options.boot_root = root.string();
  return check(text, options);
}

const std::string kGood =
    "default trusted_boot\n"
    "label trusted_boot\n"
    "kernel mboot.c32\n"
    "append tboot.gz --- k root=/dev/x intel_iommu=on --- r\n";
const std::string kScript =
    "#!ipxe\n"
    "goto trusted_boot\n"
    ":trusted_boot\n"
    "kernel http://192.0.2.1:8080/tboot\n"
    "module http://192.0.2.1:8080/k intel_iommu=on\n"
    "module http://192.0.2.1:8080/r\n"
    "boot\n";
const std::string kMenu =
    "set default=trusted_boot\n"
    "menuentry \"trusted_boot\" {\n"
    "multiboot2 (tftp,192.0.2.1)/tboot.gz\n"
    "module2 /k intel_iommu=on\n"
    "module2 /r\n"
    "}\n";

// `text` with its first `from` as `to`.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

class BootFolder : public Scratch {
 public:
  BootFolder() {
    for (const char* name : {"mboot.c32", "ldlinux.c32", "libcom32.c32", "tboot", "k", "r"}) {
      write(name, "x");
    }
    write("tboot.gz", "\x1f\x8b\x08");
  }
};

}  // namespace

TEST_CASE("nothing is wrong with what boots") {
  for (const std::string& text : {kGood, kScript, kMenu}) CHECK(check(text).empty());
}

TEST_CASE("each thing that would not boot is named with its line") {
  CHECK(check(with(kGood, "mboot.c32", "mboot")) ==
        "failure literal-mboot 3: 'kernel mboot' names no COM32 module: PXELINUX 5 and newer look "
        "for a Linux kernel of that name. Write mboot.c32\n");
  CHECK_THAT(check(with(kGood, "--- k", "---k")), StartsWith("failure separator 4: '---' in "));
  CHECK_THAT(check(with(kGood, "on --- r", "on ---r")), StartsWith("failure separator 4: "));
  CHECK_THAT(check(with(kGood, "gz --- k", "gz--- k")), StartsWith("failure separator 4: "));
  CHECK(check(with(kGood, " intel_iommu=on", "")) ==
        "warning iommu-missing 4: intel_iommu=on is missing: devices reach the memory that was "
        "measured\n");
  CHECK_THAT(check(with(kGood, "intel_iommu=on", "intel_iommu=on intel_iommu=off")),
             StartsWith("warning iommu-missing 4: "));
  CHECK(check(with(kGood, "intel_iommu=on", "intel_iommu=on,sm_on")).empty());
  CHECK(check(with(kGood, "label trusted_boot", "label other")) ==
        "failure default-unknown 1: chooses 'trusted_boot', which is no label\n");
  CHECK(check(with(kGood, "default trusted_boot\n", "")) ==
        "failure default-missing -: no 'default' line: PXELINUX waits at its prompt\n");
  CHECK(check(kGood + "default x\n") ==
        "failure default-twice 5: chooses 'x', and line 1 chooses 'trusted_boot'\n"
        "failure default-unknown 5: chooses 'x', which is no label\n");
  CHECK(check(kGood + "label x\nappend y\n") ==
        "warning kernel-missing 5: the label 'x' has no kernel\n");
  CHECK(check("default x\nlabel x\nappend y\n") ==
        "failure kernel-missing 2: the label 'x' has no kernel\n");
  CHECK(check(kGood + "label trusted_boot\nkernel k\n") ==
        "warning label-twice 5: the label 'trusted_boot' is there already\n");
  CHECK(check(with(kGood, " --- r", "")) ==
        "warning module-missing 4: tboot is given no ramdisk\n");
  CHECK(check(with(kGood, " --- k root=/dev/x intel_iommu=on --- r", "")) ==
        "failure module-missing 4: tboot is given no kernel\n");
  CHECK_THAT(check(with(kGood, "kernel mboot.c32\nappend ", "kernel ")),
             StartsWith("failure syntax 3: tboot is no Linux kernel"));
  CHECK(check("\n" + kScript) ==
        "failure first-line 1: a script for iPXE begins with '#!ipxe' and nothing before it\n");
  CHECK(check(with(kScript, "#!ipxe", "#!gpxe")).empty());
  CHECK(check(with(kScript, "/tboot", "/tboot.gz?a=b")) ==
        "failure tboot-compressed 4: 'http://192.0.2.1:8080/tboot.gz?a=b' is compressed, going by "
        "its name, and iPXE does not unpack it\n");
  CHECK(check(with(kMenu, "}\n", "")) == "failure syntax 2: a '{' is never closed\n");
}

TEST_CASE("what stands in PXELINUX's kernel line is checked as what stands in append") {
  const std::string beside = with(kGood, "mboot.c32\nappend ", "mboot.c32 ");
  CHECK(check(beside).empty());
  CHECK_THAT(check(with(beside, "--- k", "---k")), StartsWith("failure separator 3: '---' in "));
  CHECK_THAT(check(with(beside, " intel_iommu=on", "")), StartsWith("warning iommu-missing 3: "));
  CHECK(check(with(beside, " --- k root=/dev/x intel_iommu=on --- r", "")) ==
        "failure module-missing 3: tboot is given no kernel\n");
  CHECK_THAT(check(with(beside, "root=", "ipa-global-request-id=req-1 root=")),
             StartsWith("warning per-deployment 3: "));
  // The two are one command line, whose length counts.
  const std::string fits(1023 - std::string("k root=/dev/x intel_iommu=on ").size(), 'x');
  const std::string split =
      with(with(kGood, "mboot.c32\nappend ", "mboot.c32 "), " root=", "\nappend root=");
  CHECK(check(with(split, "=on", "=on " + fits)).empty());
  CHECK_THAT(check(with(split, "=on", "=on x" + fits)), StartsWith("failure arguments-cut 3: "));

  const BootFolder folder;
  CHECK(check_in(beside, folder.path()).empty());
  std::filesystem::remove(folder.path() / "r");
  CHECK(check_in(beside, folder.path()) == "failure file-missing 3: r is not in the boot root\n");
  CHECK(check_in("default x\nlabel x\nlinux k initrd=r\n", folder.path()) ==
        "failure file-missing 3: r is not in the boot root\n");
}

// tests/system/netboot boots both sides of these limits.
TEST_CASE("arguments that would be cut are named, going by what each loader hands on") {
  const auto filled = [](const std::string& text, std::size_t size) {
    return with(text, "intel_iommu=on", "intel_iommu=on " + std::string(size, 'x'));
  };
  std::size_t fits = 1023 - std::string("k root=/dev/x intel_iommu=on ").size();
  CHECK(check(filled(kGood, fits)).empty());
  CHECK(check(filled(kGood, fits + 1)) ==
        "failure arguments-cut 4: the kernel has 1022 bytes of arguments, of which 1021 arrive: "
        "tboot keeps 1023 bytes of the path and them\n");

  fits = 1023 - std::string("intel_iommu=on ").size();
  CHECK(check(filled(kMenu, fits)).empty());
  CHECK(check(filled(kMenu, fits + 1)) ==
        "failure arguments-cut 4: the kernel has 1024 bytes of arguments, of which 1023 arrive: "
        "tboot keeps 1023 bytes\n");

  // Each command line with its NUL; those of tboot take their share.
  const std::string server = "http://192.0.2.1:8080/";
  fits = 512 - std::string(server + "tboot?" + server + "k intel_iommu=on ?").size();
  CHECK(check(filled(kScript, fits)).empty());
  CHECK(check(filled(kScript, fits + 1)) ==
        "failure arguments-cut 5: the kernel has 460 bytes of arguments, of which 459 arrive: iPXE "
        "keeps 512 bytes of all URLs and arguments together\n");
  const std::string noisy = with(kScript, "/tboot", "/tboot logging=serial");
  CHECK(check(filled(noisy, fits - 15)).empty());
  CHECK_THAT(check(filled(noisy, fits - 14)), StartsWith("failure arguments-cut 5: "));
  CHECK_THAT(check(with(kScript, "/k", "/" + std::string(600, 'k'))),
             Contains("bytes of arguments, of which 0 arrive"));
}

TEST_CASE("arguments that change what is measured are named") {
  CHECK(check(with(kGood, "root=", "ipa-global-request-id=req-1 root=")) ==
        "warning per-deployment 4: 'ipa-global-request-id=' is another one at each deployment, and "
        "so is what tboot measures\n");
  CHECK_THAT(check(with(kScript, "/k ", "/k ipa-agent-token=secret ")),
             StartsWith("warning per-deployment 5: 'ipa-agent-token='") && !Contains("secret"));
  CHECK(check(with(kScript, "/k ", "/k BOOTIF=${mac} ")) ==
        "info per-machine 5: 'BOOTIF=${mac}' is this machine's own, and so is what tboot "
        "measures\n");
  CHECK_THAT(check(kGood + "ipappend 2\n"), StartsWith("info per-machine 5: 'ipappend' adds"));
  CHECK(check(kGood + "ipappend 0\n").empty());
  // What nothing measures may change.
  CHECK(
      check("default x\nlabel x\nkernel k\nappend ipa-global-request-id=req-1 initrd=r\n").empty());
}

TEST_CASE("placeholders are a problem where they would be booted") {
  const std::string open = with(kGood, "/dev/x", "{{ ROOT }}");
  CHECK(check(open) ==
        "failure placeholder 4: the label that boots has the placeholder {{ ROOT }}, which was not "
        "replaced\n");
  const std::string other = with(open, "default trusted_boot", "default x") +
                            "label x\nkernel k\nappend mbr:{{ DISK_IDENTIFIER }}\n";
  CHECK_THAT(check(other), StartsWith("failure placeholder 7: "));
  CheckOptions options;
  options.label = "trusted_boot";
  CHECK_THAT(check(other, options), StartsWith("failure placeholder 4: "));
  options.label = "y";
  CHECK(check(other, options) == "failure default-unknown -: no label 'y'\n");
  CHECK(check(with(kMenu, "/k ", "/k root=(( ROOT )) ")) ==
        "failure placeholder 4: the label that boots has the placeholder (( ROOT )), which was not "
        "replaced\n");
  CHECK(check(kGood + "# {{ pxe_options.aki_path }} {{ x }}\n") ==
        "failure template 5: this is a template, which nothing has filled in\n");
  CHECK_THAT(check(kGood + "# {% if x %}\n"), StartsWith("failure template 5: "));
}

TEST_CASE("PXELINUX's menu is judged by the label that it starts") {
  const std::string open =
      with(kGood, "/dev/x", "{{ ROOT }}") + "label x\nmenu default\nkernel k\n";
  CHECK_THAT(check("ui menu.c32\n" + open), StartsWith("failure placeholder 5: "));
  CHECK(check("ui menu.c32\n" + with(open, "default trusted_boot", "default x")).empty());
  CHECK(check("ui menu.c32\n" + with(open, "default trusted_boot\n", "")).empty());
  CHECK(check("ui gfxboot.c32\n" + open).empty());
  CHECK_THAT(check(with(open, "default trusted_boot", "default mboot.c32 tboot.gz ---k")),
             StartsWith("failure default-unknown 1: chooses 'mboot.c32'"));
}

TEST_CASE("PXELINUX's menu and what it needs are looked for in the boot root") {
  // Without mboot.c32, which needs libcom32.c32 itself.
  const auto missing = [&](const std::string& name, const std::string& menu = "menu.c32") {
    const std::string text = "ui " + menu + "\nlabel x\nkernel k\n";
    const BootFolder folder;
    for (const auto& module : {menu, std::string("libutil.c32")}) folder.write(module, "x");
    CHECK(check_in(text, folder.path()).empty());
    std::filesystem::remove(folder.path() / name);
    return check_in(text, folder.path());
  };
  CHECK(missing("menu.c32") == "failure file-missing 1: menu.c32 is not in the boot root\n");
  CHECK_THAT(missing("libutil.c32"), StartsWith("failure file-missing 1: libutil.c32 is not in "));
  CHECK(missing("libcom32.c32").empty());
  CHECK_THAT(missing("libcom32.c32", "vesamenu.c32"),
             StartsWith("failure file-missing 1: libcom32.c32 is not "));
}

TEST_CASE("GRUB's default may be a number or a variable") {
  CHECK(check(with(kMenu, "=trusted_boot", "=0")).empty());
  CHECK_THAT(check(with(kMenu, "=trusted_boot", "=1")), StartsWith("failure default-unknown 1: "));
  CHECK(check(with(kMenu, "=trusted_boot", "=\"${saved_entry}\"")).empty());
  const std::string open = with(kMenu, "/k ", "/k root=(( ROOT )) ");
  CHECK_THAT(check(with(open, "=trusted_boot", "=0")), StartsWith("failure placeholder 4"));
  CHECK_THAT(check(with(open, "set default=trusted_boot\n", "")),
             StartsWith("failure placeholder 3"));
}

TEST_CASE("what only the loader knows is no problem") {
  CHECK(check(with(kGood, "label trusted_boot", "include more.cfg\nlabel x")).empty());
  CHECK(check(with(kGood, "default trusted_boot", "menu include more.cfg")).empty());
  CHECK(check(with(kScript, "goto trusted_boot", "goto ${target}")).empty());
  CHECK(check(with(kMenu, "set default=trusted_boot",
                   "if [ x ]; then\n set default=\"${next}\"\nelse\n set default=\"${saved}\"\nfi"))
            .empty());
  CHECK(check(with(kMenu, "=trusted_boot", "=x\nsource /more.cfg")).empty());
  CHECK_THAT(check(with(kMenu, "=trusted_boot", "=x")), StartsWith("failure default-unknown 1"));
}

TEST_CASE("files are looked for in the boot root, each once") {
  const BootFolder folder;
  for (const std::string& text : {kGood, kScript, kMenu})
    CHECK(check_in(text, folder.path()).empty());
  for (const char* name : {"mboot.c32", "ldlinux.c32", "libcom32.c32", "tboot.gz", "k", "r"}) {
    const BootFolder other;
    std::filesystem::remove(other.path() / name);
    INFO(name);
    const std::string found = check_in(kGood, other.path());
    CHECK_THAT(found, StartsWith("failure file-missing ") &&
                          Contains(std::string(name) + " is not in the boot root"));
    CHECK(found.find('\n') == found.size() - 1);
  }
  std::filesystem::remove(folder.path() / "k");
  CHECK(check_in(kScript, folder.path()) ==
        "failure file-missing 5: http://192.0.2.1:8080/k is not in the boot root\n");
  CHECK(check_in(with(kScript, "8080/k", "8080/${uuid}"), folder.path()) ==
        "info file-unknown 5: http://192.0.2.1:8080/${uuid} can not be looked for in the boot "
        "root: only the loader knows where it is\n");
}

TEST_CASE("modules of Syslinux may be beside the one that needs them") {
  const BootFolder folder;
  std::filesystem::create_directory(folder.path() / "bios");
  std::filesystem::rename(folder.path() / "mboot.c32", folder.path() / "bios" / "mboot.c32");
  std::filesystem::rename(folder.path() / "libcom32.c32", folder.path() / "bios" / "libcom32.c32");
  CHECK(check_in(with(kGood, "mboot.c32", "bios/mboot.c32"), folder.path()).empty());
  CHECK_THAT(check_in(kGood, folder.path()), Contains("2: mboot.c32 is not in the boot root"));
}

TEST_CASE("a compressed tboot is one by its content") {
  const BootFolder folder;
  std::filesystem::copy_file(folder.path() / "tboot.gz", folder.path() / "tboot",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(check_in(kScript, folder.path()) ==
        "failure tboot-compressed 4: http://192.0.2.1:8080/tboot is compressed, and iPXE does not "
        "unpack it: gunzip it\n");
  folder.write("tboot.gz", "not");
  CHECK(check_in(with(kScript, "/tboot", "/tboot.gz"), folder.path()).empty());
  // Where the file can not be seen, its name counts.
  CHECK_THAT(check_in(with(kScript, "8080/tboot", "8080/${x}/tboot.gz"), folder.path()),
             Contains("tboot-compressed 4"));
}

TEST_CASE("nothing outside the boot root is reached") {
  const Scratch outside;
  outside.write("secret", "x");
  const BootFolder folder;
  const auto link = [&](const std::string& to) {
    std::filesystem::remove(folder.path() / "k");
    std::filesystem::create_symlink(to, folder.path() / "k");
    return check_in(kGood, folder.path());
  };
  CHECK(link("r").empty());
  CHECK(link("./x/../r").find("file-missing 4: k is not") != std::string::npos);
  // Absolute links are as from the boot root, for a server that is confined to it.
  CHECK(link("/r").empty());
  CHECK(link(outside.path() / "secret").find("file-missing 4: k is not") != std::string::npos);
  CHECK(link("../" + outside.path().filename().string() + "/secret") ==
        "failure file-outside 4: k leads out of the boot root, where a server does not follow\n");
  CHECK_THAT(link("k"), Contains("file-unusable 4: k too many symbolic links"));
  for (const char* path : {"../k", "a/../../k", "/..", "../../../../../../etc/passwd"}) {
    INFO(path);
    std::filesystem::create_directories(folder.path() / "a");
    CHECK_THAT(check_in(with(kGood, "--- k", "--- " + std::string(path)), folder.path()),
               Contains("file-outside 4"));
  }
}

TEST_CASE("what can not be served is named with the reason") {
  const BootFolder folder;
  const std::filesystem::path k = folder.path() / "k";
  const auto now = [&] { return check_in(kGood, folder.path()); };
  folder.write("k", "");
  CHECK(now() == "failure file-unusable 4: k is empty\n");
  std::filesystem::remove(k);
  std::filesystem::create_directory(k);
  CHECK(now() == "failure file-unusable 4: k is a folder\n");
  std::filesystem::remove(k);
  REQUIRE(::mkfifo(k.c_str(), 0600) == 0);
  CHECK(now() == "failure file-unusable 4: k is not a regular file\n");
  std::filesystem::remove(k);
  folder.write("k", "x");
  CHECK_THAT(check_in(with(kGood, "--- k", "--- k/x"), folder.path()), Contains("k/x is not in"));
  std::string deep;
  for (int i = 0; i < 70; ++i) {
    deep += "d/";
    std::filesystem::create_directory(folder.path() / deep);
  }
  CHECK_THAT(check_in(with(kGood, "--- k", "--- " + deep + "k"), folder.path()),
             Contains("too many folders"));
}

TEST_CASE("a boot root that there is not is an error") {
  const Scratch folder;
  CHECK_THROWS_AS(check_in(kGood, folder.path() / "x"), attest::FileError);
  folder.write("file", "x");
  CHECK_THROWS_AS(check_in(kGood, folder.path() / "file"), attest::FileError);
}

TEST_CASE("paths of URLs, devices and servers are found in the boot root") {
  using attest::boot::path_in_root;
  CHECK(path_in_root("a/b", Format::kPxelinux) == "a/b");
  CHECK(path_in_root("::a", Format::kPxelinux) == "a");
  CHECK(path_in_root("192.0.2.1::a", Format::kPxelinux) == "a");
  CHECK(path_in_root("http://h:1/a/b?c#d", Format::kPxelinux) == "/a/b");
  CHECK(path_in_root("https://h/a", Format::kIpxe) == "/a");
  CHECK(path_in_root("tftp://h/a", Format::kIpxe) == "/a");
  CHECK(path_in_root("http://h", Format::kIpxe) == std::nullopt);
  CHECK(path_in_root("file:///a", Format::kIpxe) == std::nullopt);
  CHECK(path_in_root("a${b}", Format::kIpxe) == std::nullopt);
  CHECK(path_in_root("http://h/a%2e", Format::kIpxe) == std::nullopt);
  CHECK(path_in_root("(http,h)/a", Format::kGrub) == "/a");
  CHECK(path_in_root("(http", Format::kGrub) == std::nullopt);
  CHECK(path_in_root("$prefix/a", Format::kGrub) == std::nullopt);
}

TEST_CASE("a flood of what is harmless hides nothing that is worse") {
  const auto repeated = [](const std::string& text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
  };
  const auto count = [](const std::string& found, const std::string& severity) {
    std::size_t lines = 0;
    for (std::size_t at = 0; at < found.size(); at = found.find('\n', at) + 1) {
      lines += found.compare(at, severity.size(), severity) == 0 ? 1U : 0U;
    }
    return lines;
  };
  // Notes first, and in lines before: more than there is room for.
  const std::string notes = with(kScript, "tboot\n", "tboot " + repeated("ip=${a} ", 5000) + "\n");
  CHECK(count(check(notes), "info ") == 599);  // and a failure: so many arguments are cut
  CHECK_THAT(check(with(notes, "/k ", "/k ipa-agent-token=x ")),
             Contains("warning per-deployment 5: "));
  const BootFolder folder;
  std::filesystem::remove(folder.path() / "r");
  CHECK_THAT(check_in(notes, folder.path()), Contains("failure file-missing 6: "));

  const std::string labels = kGood + repeated("label trusted_boot\nkernel k\n", 900);
  CHECK(count(check(labels), "warning ") == 800);
  std::filesystem::remove(folder.path() / "k");
  CHECK_THAT(check_in(labels, folder.path()), Contains("failure file-missing 4: k is not"));

  const std::string tboots = repeated("label t\nkernel mboot\nappend tboot.gz\n", 900);
  CHECK(count(check(tboots), "failure ") == 1000);
}

TEST_CASE("a configuration that ends anywhere is checked without harm") {
  const BootFolder folder;
  for (const std::string& text : {kGood, kScript, kMenu}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      try {
        check_in(text.substr(0, size), folder.path());
      } catch (const attest::ParseError& e) {
        CHECK_THAT(e.what(), StartsWith("boot configuration: line "));
      }
    }
  }
}
