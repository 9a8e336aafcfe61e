// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/configuration.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/parse_error.h"

using attest::boot::Config;
using attest::boot::Entry;
using attest::boot::find_entry;
using attest::boot::Format;
using attest::boot::parse_config;
using attest::boot::Starts;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

Config of(std::string_view text) { return parse_config(text, std::nullopt); }

// "label" of the only or the named entry, as "KIND path(arguments) path …".
std::string entry_of(const Config& config, std::string_view label) {
  const Entry* entry = find_entry(config, label);
  if (entry == nullptr) return "none";
  std::string out = entry->starts == Starts::kNothing   ? "nothing"
                    : entry->starts == Starts::kLinux   ? "linux"
                    : entry->starts == Starts::kModules ? "modules"
                                                        : "other";
  if (!entry->loader.empty()) out += " by " + entry->loader;
  for (const auto& image : entry->images) {
    out += " " + image.path;
    if (!image.arguments.empty()) out += "(" + image.arguments + ")";
  }
  return out;
}

std::string defaults_of(const Config& config) {
  std::string out;
  for (const auto& choice : config.defaults) {
    out += std::to_string(choice.line) + ":" + choice.label + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("a format is known by its own words") {
  CHECK(of("#!ipxe\nlabel x\n").format == Format::kIpxe);
  CHECK(of("#!gpxe\n").format == Format::kIpxe);
  CHECK(of("label x\nmenuentry \"y\" {\n}\n").format == Format::kGrub);
  CHECK(of("# menuentry\n LABEL x\n").format == Format::kPxelinux);
  CHECK(of("label x\n#!ipxe\n").format == Format::kPxelinux);
  CHECK(of("\n \n#!ipxe\n").format == Format::kIpxe);
  CHECK(of("echo a\n#!ipxe\n").format == Format::kIpxe);
  CHECK(parse_error_of([] { return of("default x\n"); }) ==
        "boot configuration: line 1: no '#!ipxe', no 'menuentry' and no 'label' in it: for none of "
        "iPXE, GRUB and PXELINUX");
  CHECK_THAT(parse_error_of([] { return of(""); }), Contains("line 1"));
  CHECK_THAT(parse_error_of([] { return of("label\n"); }), Contains("line 1"));
  CHECK(parse_config("default x\n", Format::kPxelinux).defaults.size() == 1);
}

TEST_CASE("a configuration that is no text, or too large, is malformed") {
  CHECK(parse_error_of([] { return of("label x\n" + std::string(1, '\0')); }) ==
        "boot configuration: line 2: has a NUL: not a text");
  CHECK(parse_error_of([] { return of("label x\n\xc0\x80\n"); }) ==
        "boot configuration: line 2: is not UTF-8");
  CHECK_THAT(parse_error_of([] { return of(std::string((1U << 20U) + 1, ' ')); }),
             Contains("larger than 1 MiB"));
  std::string labels;
  for (int i = 0; i < 1000; ++i) labels += "label x\n";
  CHECK(of(labels).entries.size() == 1000);
  CHECK(parse_error_of([&] { return of(labels + "label y\n"); }) ==
        "boot configuration: line 1001: has more than 1000 labels before it");
}

TEST_CASE("PXELINUX: keywords in any case, the last of several, global arguments") {
  const Config config =
      of("APPEND a=b\nDefault one\n"
         "LABEL one\n  KERNEL k1\n\tkernel k2\n  Initrd r1,r2\n"
         "label two\n linux k.c32\n append x initrd=r3 y\n initrd r4\n"
         "label three\n kernel k\n append -\n"
         "label four\n localboot 0\n"
         "label five\n kernel memdisk.bin\n"
         "label six\n# kernel k\n append z\n"
         "label seven\n com32 chain\n append hd0\n");
  CHECK(defaults_of(config) == "2:one ");
  CHECK(entry_of(config, "one") == "linux k2(a=b) r1 r2");
  CHECK(entry_of(config, "two") == "linux k.c32(x initrd=r3 y) r3");
  CHECK(entry_of(config, "three") == "linux k");
  CHECK(entry_of(config, "four") == "other");
  CHECK(entry_of(config, "five") == "other");
  CHECK(entry_of(config, "six") == "nothing");
  CHECK(entry_of(config, "seven") == "other by chain");
  CHECK(find_entry(config, "one")->line == 3);
  CHECK(find_entry(config, "one")->end_line == 6);
  CHECK(config.problems.all().empty());
}

TEST_CASE("PXELINUX: mboot.c32 takes modules between words of three dashes") {
  const auto modules = [](const std::string& kernel, const std::string& append) {
    return entry_of(of("label x\n" + kernel + "\nappend " + append + "\n"), "x");
  };
  const std::string append = "t.gz a b --- k c=d  e --- r";
  CHECK(modules("kernel mboot.c32", append) == "modules by mboot.c32 t.gz(a b) k(c=d  e) r");
  CHECK(modules("com32 mboot", append) == "modules by mboot t.gz(a b) k(c=d  e) r");
  CHECK(modules("kernel /bios/MBOOT.C32", append) == "other by /bios/MBOOT.C32");
  CHECK(modules("kernel ::bios/mboot.c32", append) ==
        "modules by ::bios/mboot.c32 t.gz(a b) k(c=d  e) r");
  CHECK(modules("kernel mboot.c32", "-aout t.gz --- k") == "modules by mboot.c32 t.gz k");
  CHECK(modules("kernel mboot.c32", "---") == "modules by mboot.c32  ");
  CHECK(modules("kernel mboot.c32", "--- --- ---") == "modules by mboot.c32    ");
  CHECK(modules("kernel mboot.c32", "t ---k") == "modules by mboot.c32 t(---k)");
  CHECK(modules("kernel mboot.c32", "t--- k") == "modules by mboot.c32 t---(k)");
  CHECK(modules("kernel mboot.c32", "t ---- k") == "modules by mboot.c32 t(---- k)");
}

TEST_CASE("PXELINUX: arguments may stand in the kernel's own line, before those of append") {
  const auto entry = [](const std::string& text) { return entry_of(of("label x\n" + text), "x"); };
  CHECK(entry("kernel mboot.c32 t.gz a --- k b --- r\n") == "modules by mboot.c32 t.gz(a) k(b) r");
  CHECK(entry("com32 mboot t.gz --- k\nappend b --- r\n") == "modules by mboot t.gz k(b) r");
  CHECK(entry("kernel mboot.c32 t.gz ---\nappend k b --- r\n") ==
        "modules by mboot.c32 t.gz k(b) r");
  CHECK(entry("kernel mboot.c32 t.gz --- k\nappend -\n") == "modules by mboot.c32 t.gz k");
  CHECK(entry("linux k initrd=r1  a\n") == "linux k(initrd=r1  a) r1");
  CHECK(entry("kernel k a\nappend initrd=r1 b\n") == "linux k(a initrd=r1 b) r1");
  CHECK(entry("kernel k initrd=r1\nappend initrd=r2 initrd=r3\n") ==
        "linux k(initrd=r1 initrd=r2 initrd=r3) r1");
  CHECK(entry_of(of("append c\nlabel x\nkernel k a\n"), "x") == "linux k(a c)");
  CHECK(entry("kernel k.0 a\n") == "other");
  // Each with the line that it begins in.
  const Config config = of("label x\nkernel mboot.c32 t.gz --- k\nappend b --- r\n");
  std::vector<std::size_t> lines;
  for (const auto& image : config.entries[0].images) lines.push_back(image.line);
  CHECK(lines == std::vector<std::size_t>{2, 2, 3});
}

TEST_CASE("PXELINUX: a menu starts its own default, or the first label") {
  const std::string labels = "label one\nkernel a\nlabel two\nmenu default\nkernel b\n";
  CHECK(defaults_of(of("default menu.c32\n" + labels)) == "5:two ");
  CHECK(defaults_of(of("UI vesamenu.c32\n" + labels)) == "5:two ");
  CHECK(defaults_of(of("default menu.c32\nlabel one\nkernel a\n")) == "2:one ");
  CHECK(defaults_of(of("default x.c32\nlabel x.c32\nkernel a\n")) == "1:x.c32 ");
}

TEST_CASE("PXELINUX: beside a ui line, the last default line is the menu's") {
  const std::string labels = "label one\nkernel a\nlabel two\nmenu default\nkernel b\n";
  CHECK(defaults_of(of("UI vesamenu.c32\ndefault one\n" + labels)) == "2:one ");
  CHECK(defaults_of(of("default one x\n" + labels + "ui menu.c32\n")) == "1:one ");
  CHECK(defaults_of(of("ui menu.c32\ndefault two\ndefault one\n" + labels)) == "2:two 3:one ");
  // Where it names no label, it is as if it was not there.
  CHECK(defaults_of(of("ui menu.c32\ndefault three\n" + labels)) == "6:two ");
  CHECK(defaults_of(of("ui menu.c32\ndefault menu.c32\n" + labels)) == "6:two ");
  // Without ui it is the last default line that is started, a menu or not.
  CHECK(defaults_of(of("default one\ndefault menu.c32\n" + labels)) == "6:two ");
  CHECK(defaults_of(of("default menu.c32\ndefault one\n" + labels)) == "1:menu.c32 2:one ");
  // No menu: a label, or what is none.
  CHECK(defaults_of(of("ui one\ndefault two\n" + labels)) == "1:one ");
  CHECK(defaults_of(of("ui x\ndefault two\n" + labels)) == "1:x ");
  CHECK(defaults_of(of("default mboot.c32 tboot.gz --- k\n" + labels)) == "1:mboot.c32 ");
}

TEST_CASE("PXELINUX: a menu does not start what it hides") {
  const auto shown = [](const std::string& of_two) {
    return defaults_of(of("ui menu.c32\nlabel one\nmenu hide\nkernel a\nlabel two\n" + of_two +
                          "kernel b\nlabel three\nkernel c\n"));
  };
  CHECK(shown("") == "5:two ");
  CHECK(shown("menu disable\n") == "8:three ");
  CHECK(shown("kernel x\nlabel four\ndefault one\n") == "5:two ");
  CHECK(shown("menu default\nmenu disabled\n") == "9:three ");
  CHECK(defaults_of(of("ui menu.c32\nlabel one\nmenu hide\nkernel a\n")).empty());
}

TEST_CASE("PXELINUX: what a menu starts is not sure where others say it") {
  const auto sure = [](const std::string& text) {
    const Config config = of(text + "label one\nkernel a\n");
    REQUIRE(config.defaults.size() == 1);
    return config.defaults[0].sure;
  };
  CHECK(sure("ui menu.c32\n"));
  CHECK(sure("ui menu.c32\ndefault one\nmenu begin sub\n"));
  CHECK_FALSE(sure("ui menu.c32\nmenu begin sub\n"));
  CHECK_FALSE(sure("ui menu.c32\ndefault one\nontimeout two\n"));
  CHECK_FALSE(sure("ui menu.c32\ndefault one\ninclude more.cfg\n"));
  CHECK_FALSE(sure("ui menu.c32 other.cfg\ndefault one\n"));
  CHECK_FALSE(sure("default menu.c32 other.cfg\n"));
  CHECK_FALSE(sure("ui gfxboot.c32 bootlogo\ndefault one\n"));
  CHECK_FALSE(sure("default ifcpu64.c32 one -- two\n"));
}

TEST_CASE("PXELINUX: a carriage return ends a line, and comboot is a kernel, too") {
  const Config config =
      of("default one\r two\r\nlabel one\r\nkernel mboot.c32\r\nappend t --- k\r --- r\n"
         "label two\nkernel mboot.c32\ncomboot x.com\nappend t --- k\n");
  CHECK(defaults_of(config) == "1:one ");
  CHECK(entry_of(config, "one") == "modules by mboot.c32 t k");
  CHECK(entry_of(config, "two") == "other");
}

TEST_CASE("PXELINUX: a label is one word, and a help text says nothing") {
  const Config config =
      of("default one\nlabel one two\ntext help\ndefault three\nlabel four\nEndText x\n"
         "kernel a\n");
  CHECK(defaults_of(config) == "1:one ");
  CHECK(config.entries.size() == 1);
  CHECK(entry_of(config, "one") == "linux a");
}

TEST_CASE("iPXE: labels, the first unconditional jump, images behind their options") {
  const Config config =
      of("#!ipxe\n\nset i 0\n goto first\niseq ${i} 1 && goto third ||\ngoto second\n"
         ":first\nimgfree\nkernel --timeout 6000 --name x http://h/tboot a=b || goto retry\n"
         "module -t 1 http://h/k c=d || goto retry\ninitrd http://h/r # a comment\nboot\n"
         ":second \nkernel k e ; initrd r ; boot\n"
         ":third\nmodule r\nboot\n"
         ":fourth\nsanboot --no-describe || exit 0\n"
         ":fifth\necho x\n"
         ":sixth\nboot http://h/script\n");
  CHECK(defaults_of(config) == "4:first ");
  CHECK(entry_of(config, "") == "other");
  CHECK(entry_of(config, "first") == "modules http://h/tboot(a=b) http://h/k(c=d) http://h/r");
  CHECK(entry_of(config, "second") == "linux k(e) r");
  CHECK(entry_of(config, "third") == "nothing");
  CHECK(entry_of(config, "fourth") == "other");
  CHECK(entry_of(config, "fifth") == "other");
  CHECK(entry_of(config, "sixth") == "other");
  CHECK(find_entry(config, "first")->line == 7);
  CHECK(find_entry(config, "first")->end_line == 12);
}

TEST_CASE("iPXE: a script without labels is one entry") {
  const Config config = of("#!ipxe\nkernel tboot\nmodule k a\nmodule r\nboot\n");
  CHECK(config.defaults.empty());
  REQUIRE(config.entries.size() == 1);
  CHECK(entry_of(config, "") == "modules tboot k(a) r");
}

TEST_CASE("GRUB: quotes, comments, blocks, several commands a line") {
  const Config config = of(
      "# menuentry \"no\" {\nset default=\"sub>two\"; set timeout=5\n"
      "if [ x ]; then\n  set x=y\nfi\n"
      "submenu \"sub\" {\n menuentry 'one' --class x --id y {\n  linux /k \"a b\" c\\ d ; initrd "
      "/r1 /r2\n }\n}\n"
      "menuentry two { multiboot2 --quirk /tboot.gz x; module2 /k e=f\n module2 --nounzip /r }\n"
      "menuentry \"three\" {\n  chainloader /efi\n}\n"
      "menuentry \"four\" {\n  echo x\n}\n");
  CHECK(defaults_of(config) == "2:two ");
  CHECK(entry_of(config, "one") == "linux /k(a b c d) /r1 /r2");
  CHECK(entry_of(config, "two") == "modules /tboot.gz(x) /k(e=f) /r");
  CHECK(entry_of(config, "three") == "other");
  CHECK(entry_of(config, "four") == "nothing");
  CHECK(find_entry(config, "three")->line == 13);
  CHECK(find_entry(config, "three")->end_line == 15);
  CHECK(config.problems.all().empty());
}

TEST_CASE("GRUB: what is never closed, or closed too often, is a problem with its line") {
  const auto problem = [](const std::string& text) {
    const Config config = of(text);
    REQUIRE(config.problems.all().size() == 1);
    const auto& p = config.problems.all()[0];
    CHECK(id_of(p.code) == "syntax");
    return std::to_string(*p.line) + ": " + p.message;
  };
  CHECK(problem("menuentry x {\n linux k\n") == "1: a '{' is never closed");
  CHECK(problem("menuentry x {\n linux k 'a\n}\n") ==
        "2: a quote that begins in this line is never closed");
  CHECK(problem("menuentry x {\n linux k\n}\n}\n") == "4: a '}' that closes nothing");
  CHECK(problem("menuentry x {\nmenuentry y {\n linux k\n}\n}\n") ==
        "2: a menuentry within another one");
}

TEST_CASE("tboot is known by its file's name") {
  for (const char* path :
       {"tboot", "tboot.gz", "/a/b/tboot.gz", "TBOOT.GZ", "tboot-1.10.5.gz", "http://h/tboot?x=/y",
        "(tftp)/tboot.gz", "(hd0,1)tboot", "::tboot.gz"}) {
    INFO(path);
    CHECK(attest::boot::is_tboot(path));
  }
  for (const char* path :
       {"", "tboo", "xtboot", "tboot/x", "xen.gz", "http://tboot/x", "x?tboot"}) {
    INFO(path);
    CHECK_FALSE(attest::boot::is_tboot(path));
  }
}
