// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot_config.h"

#include "tests/abi/api/calls.h"
#include "tests/support/scratch.h"

namespace {

attest_boot_render_options good_render() {
  attest_boot_render_options o = ATTEST_BOOT_RENDER_OPTIONS_INIT;
  o.format = ATTEST_BOOT_PXELINUX;
  o.kernel = "node/kernel";
  o.ramdisk = "node/ramdisk";
  return o;
}

attest_boot_switch_options good_switch() {
  attest_boot_switch_options o = ATTEST_BOOT_SWITCH_OPTIONS_INIT;
  o.label = "trusted_boot";
  o.root_uuid = "1234-abcd";
  return o;
}

const std::string kConfig =
    "default deploy\nlabel deploy\nkernel k\nlabel trusted_boot\nkernel mboot.c32\n"
    "append tboot.gz --- k root={{ ROOT }} --- r\n";

attest_status check_text(BootConfig& config, const std::string& text,
                         attest_boot_check_options o = ATTEST_BOOT_CHECK_OPTIONS_INIT) {
  return attest_boot_config_check(config.place(), text.data(), text.size(), &o);
}

}  // namespace

TEST_CASE("boot formats have names, and names have formats") {
  for (const auto& [format, name] :
       {std::pair(ATTEST_BOOT_PXELINUX, "pxelinux"), std::pair(ATTEST_BOOT_IPXE, "ipxe"),
        std::pair(ATTEST_BOOT_GRUB, "grub")}) {
    CHECK(attest_boot_format_name(format) == std::string(name));
    CHECK(attest_boot_format_from_name(name) == format);
  }
  for (const int number : {-1, 0, 4, 257}) {
    CHECK(attest_boot_format_name(any<attest_boot_format>(number)) == nullptr);
  }
  CHECK(attest_boot_format_from_name("PXELINUX") == ATTEST_BOOT_FORMAT_NONE);
  CHECK(attest_boot_format_from_name(nullptr) == ATTEST_BOOT_FORMAT_NONE);
}

TEST_CASE("a boot configuration is rendered from every option") {
  attest_boot_render_options o = good_render();
  Buffer out;
  REQUIRE(attest_boot_config_render(out.place(), &o) == ATTEST_OK);
  CHECK(text_of(out) ==
        "label trusted_boot\nkernel mboot.c32\nappend tboot.gz --- node/kernel root={{ ROOT }} ro "
        "text  intel_iommu=on --- node/ramdisk\n");
  o.root_uuid = "r-1";
  o.append = "a1";
  o.tboot = "t1";
  o.tboot_args = "t2";
  o.mboot = "m1";
  o.complete = 1;
  o.deploy_kernel = "d1";
  o.deploy_ramdisk = "d2";
  o.deploy_append = "d3";
  o.ramdisk_append = "r2";
  o.kickstart = "k1";
  o.stage2 = "s2";
  REQUIRE(attest_boot_config_render(out.place(), &o) == ATTEST_OK);
  const std::string text = text_of(out);
  for (const char* part :
       {"default deploy\n", "kernel d1\nappend initrd=d2 selinux=0 troubleshoot=0 text d3\n",
        "kernel m1\nappend t1 t2 --- node/kernel root=UUID=r-1 ro text a1 intel_iommu=on --- ",
        "root=/dev/ram0 text a1 r2\n", "inst.ks=k1 inst.stage2=s2\n"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  o.mboot = nullptr;
  o.literal_mboot = 1;
  o.trusted_deploy = 1;
  REQUIRE(attest_boot_config_render(out.place(), &o) == ATTEST_OK);
  CHECK(text_of(out).find("label deploy\nkernel mboot\nappend t1 t2 --- d1 ") != std::string::npos);
  o.literal_mboot = 0;
  o.format = ATTEST_BOOT_IPXE;
  o.repository = "p1";
  o.ipxe_timeout_ms = 77;
  REQUIRE(attest_boot_config_render(out.place(), &o) == ATTEST_OK);
  CHECK(text_of(out).find("kernel --timeout 77 t1 t2 || goto retry\n") != std::string::npos);
  CHECK(text_of(out).find("inst.repo=p1 ") != std::string::npos);
  o.format = ATTEST_BOOT_GRUB;
  o.ipxe_timeout_ms = 0;
  o.trusted_deploy = 0;
  o.tftp_server = "192.0.2.1";
  REQUIRE(attest_boot_config_render(out.place(), &o) == ATTEST_OK);
  CHECK(text_of(out).find("text d3 boot_server=192.0.2.1\n") != std::string::npos);
}

TEST_CASE("what is not rendered says why") {
  Buffer out;
  const auto failed = [&](const attest_boot_render_options& o, attest_status status,
                          const std::string& words) {
    auto* text = rubbish<attest_buffer>();
    check_failed(attest_boot_config_render(&text, &o), status, words);
    CHECK(text == nullptr);
  };
  attest_boot_render_options o = good_render();
  o.kernel = nullptr;
  failed(o, ATTEST_E_ARGUMENT, "kernel is NULL");
  o = good_render();
  o.ramdisk = nullptr;
  failed(o, ATTEST_E_ARGUMENT, "ramdisk is NULL");
  o = good_render();
  o.format = ATTEST_BOOT_FORMAT_NONE;
  failed(o, ATTEST_E_ARGUMENT, "format is none");
  o.format = any<attest_boot_format>(4);
  failed(o, ATTEST_E_ARGUMENT, "format is not an attest_boot_format");
  o = good_render();
  o.append = "a\nlabel b";
  failed(o, ATTEST_E_MALFORMED, "append: byte 1: a line end");
  o = good_render();
  o.complete = 2;
  failed(o, ATTEST_E_ARGUMENT, "complete is neither 0 nor 1");
  o = good_render();
  o.trusted_deploy = 1;
  failed(o, ATTEST_E_ARGUMENT, "need deploy_kernel");
  o = good_render();
  o.size = 8;
  failed(o, ATTEST_E_ARGUMENT, "_INIT");
  check_failed(attest_boot_config_render(nullptr, &o), ATTEST_E_ARGUMENT, "out is NULL");
  auto* text = rubbish<attest_buffer>();
  check_failed(attest_boot_config_render(&text, nullptr), ATTEST_E_ARGUMENT, "options is NULL");
}

TEST_CASE("a boot configuration's file is switched once") {
  const Scratch folder;
  const std::string path = folder.write("config", kConfig);
  const attest_boot_switch_options o = good_switch();
  int changed = 7;
  REQUIRE(attest_boot_config_switch(&changed, path.c_str(), &o) == ATTEST_OK);
  CHECK(changed == 1);
  const std::string after = folder.read("config");
  CHECK(after.find("default trusted_boot\n") == 0);
  CHECK(after.find("root=UUID=1234-abcd --- r") != std::string::npos);
  REQUIRE(attest_boot_config_switch(&changed, path.c_str(), &o) == ATTEST_OK);
  CHECK(changed == 0);
  CHECK(folder.read("config") == after);
  CHECK(attest_boot_config_switch(nullptr, path.c_str(), &o) == ATTEST_OK);
}

TEST_CASE("what is not switched says why, and the file stays as it is") {
  const Scratch folder;
  const std::string path = folder.write("config", kConfig);
  const auto failed = [&](const attest_boot_switch_options& o, attest_status status,
                          const std::string& words) {
    int changed = 7;
    check_failed(attest_boot_config_switch(&changed, path.c_str(), &o), status, words);
    CHECK(changed == 0);
    CHECK(folder.read("config") == kConfig);
  };
  attest_boot_switch_options o = good_switch();
  o.label = nullptr;
  failed(o, ATTEST_E_ARGUMENT, "label is NULL");
  o = good_switch();
  o.label = "boot_iscsi";
  failed(o, ATTEST_E_MALFORMED, path + ": line 1: can not be switched to 'boot_iscsi'");
  o = good_switch();
  o.boot_mode = ATTEST_BOOT_MODE_UEFI;
  failed(o, ATTEST_E_MALFORMED, "line 1: this is a configuration for PXELINUX");
  o.boot_mode = any<attest_boot_mode>(2);
  failed(o, ATTEST_E_ARGUMENT, "boot_mode is not an attest_boot_mode");
  o = good_switch();
  o.ipxe = 1;
  failed(o, ATTEST_E_MALFORMED, "the boot mode asks for one for iPXE");
  o = good_switch();
  o.disk_identifier = "0x1";
  failed(o, ATTEST_E_ARGUMENT, "root_uuid is for partition images");
  o = good_switch();
  o.root_uuid = "a b";
  failed(o, ATTEST_E_MALFORMED, "root_uuid: byte 1");
  o = good_switch();
  check_failed(attest_boot_config_switch(nullptr, nullptr, &o), ATTEST_E_ARGUMENT, "path is NULL");
  check_failed(attest_boot_config_switch(nullptr, path.c_str(), nullptr), ATTEST_E_ARGUMENT,
               "options is NULL");
  const std::string none = (folder.path() / "none").string();
  check_failed(attest_boot_config_switch(nullptr, none.c_str(), &o), ATTEST_E_FILE,
               none + ": can not be opened: No such file");
}

TEST_CASE("a boot configuration's problems are told") {
  BootConfig config;
  attest_boot_check_options o = ATTEST_BOOT_CHECK_OPTIONS_INIT;
  REQUIRE(check_text(config, kConfig) == ATTEST_OK);
  CHECK(attest_boot_config_get_format(config.get()) == ATTEST_BOOT_PXELINUX);
  REQUIRE(attest_boot_config_num_problems(config.get()) == 1);
  attest_boot_problem p = ATTEST_BOOT_PROBLEM_INIT;
  REQUIRE(attest_boot_config_problem(&p, config.get(), 0) == ATTEST_OK);
  CHECK(p.code == 205);
  CHECK(p.id == std::string("iommu-missing"));
  CHECK(p.severity == ATTEST_SEVERITY_WARNING);
  CHECK(p.line == 6);
  CHECK(p.message == std::string("intel_iommu=on is missing: devices reach the memory that was "
                                 "measured"));
  check_failed(attest_boot_config_problem(&p, config.get(), 1), ATTEST_E_ARGUMENT,
               "no problem has this index");
  o.label = "none";
  REQUIRE(check_text(config, kConfig, o) == ATTEST_OK);
  REQUIRE(attest_boot_config_num_problems(config.get()) == 2);
  REQUIRE(attest_boot_config_problem(&p, config.get(), 1) == ATTEST_OK);
  CHECK(p.code == 103);
  CHECK(p.line == -1);
  const Scratch folder;
  const std::string root = folder.path().string();
  o = ATTEST_BOOT_CHECK_OPTIONS_INIT;
  o.boot_root = root.c_str();
  REQUIRE(check_text(config, kConfig, o) == ATTEST_OK);
  CHECK(attest_boot_config_num_problems(config.get()) > 5);
  o.boot_root = "/no/such/folder";
  check_failed(check_text(config, kConfig, o), ATTEST_E_FILE, "/no/such/folder: No such file");
  CHECK(config.get() == nullptr);
}

TEST_CASE("what is no boot configuration is malformed") {
  BootConfig config;
  attest_boot_check_options o = ATTEST_BOOT_CHECK_OPTIONS_INIT;
  check_failed(check_text(config, "hello\n"), ATTEST_E_MALFORMED, "for none of iPXE, GRUB");
  check_failed(check_text(config, ""), ATTEST_E_MALFORMED, "line 1");
  o.format = any<attest_boot_format>(9);
  check_failed(check_text(config, kConfig, o), ATTEST_E_ARGUMENT, "not an attest_boot_format");
  o.format = ATTEST_BOOT_GRUB;
  REQUIRE(check_text(config, kConfig, o) == ATTEST_OK);
  CHECK(attest_boot_config_get_format(config.get()) == ATTEST_BOOT_GRUB);
  check_failed(attest_boot_config_check(nullptr, "", 0, &o), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_boot_config_check(config.place(), "", 0, nullptr), ATTEST_E_ARGUMENT,
               "options is NULL");
  check_failed(attest_boot_config_check(config.place(), nullptr, 1, &o), ATTEST_E_ARGUMENT, "NULL");
}

TEST_CASE("no boot configuration is an empty one") {
  attest_boot_problem p = ATTEST_BOOT_PROBLEM_INIT;
  CHECK(attest_boot_config_get_format(nullptr) == ATTEST_BOOT_FORMAT_NONE);
  CHECK(attest_boot_config_num_problems(nullptr) == 0);
  check_failed(attest_boot_config_problem(&p, nullptr, 0), ATTEST_E_ARGUMENT, "config is NULL");
  attest_boot_config_free(nullptr);
}
