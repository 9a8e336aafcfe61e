// SPDX-License-Identifier: Apache-2.0

// Target: attest::boot::render. Input: a byte whose lowest bits choose the format and what is
// rendered, then values with bytes 0xff between them: kernel, ramdisk, append, tboot's arguments,
// deploy kernel, deploy ramdisk.
// Property: whatever the values, what is accepted has the lines, the labels and the images that it
// is to have, each value in its own field and nowhere else; and nothing of it would not boot.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/boot/check.h"
#include "libattest/boot/render.h"
#include "libattest/boot/words.h"

using namespace attest;

namespace {

std::string_view take(std::string_view& text) {
  const std::size_t end = text.find('\xff');
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return value;
}

std::size_t num_lines(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += c == '\n' ? 1 : 0;
  return count;
}

bool same_words(std::string_view a, std::string_view b) {
  boot::Words left(a);
  boot::Words right(b);
  while (!left.done() || !right.done()) {
    if (left.next() != right.next()) return false;
  }
  return true;
}

void check_image(const boot::Image& image, std::string_view path, const std::string& arguments) {
  if (image.path != path || !same_words(image.arguments, arguments)) std::abort();
}

boot::RenderOptions harmless(boot::RenderOptions o) {
  o.kernel = "k";
  o.ramdisk = "r";
  o.append = o.tboot_args = "a";
  if (o.deploy_kernel) o.deploy_kernel = o.deploy_ramdisk = "d";
  return o;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  boot::RenderOptions o;
  o.format = static_cast<boot::Format>(data[0] % 3 + 1);
  std::string_view values = as_text({data + 1, size - 1});
  o.kernel = take(values);
  o.ramdisk = take(values);
  o.append = take(values);
  o.tboot_args = take(values);
  o.root_uuid = "12-ab";
  o.complete = (data[0] & 0x40U) != 0;
  if (o.complete && (data[0] & 0x80U) != 0) {
    o.deploy_kernel = take(values);
    o.deploy_ramdisk = take(values);
    o.trusted_deploy = (data[0] & 0x20U) != 0;
  }
  std::string text;
  try {
    text = boot::render(o);
  } catch (const ParseError&) {
    return 0;
  }
  if (num_lines(text) != num_lines(boot::render(harmless(o)))) std::abort();
  if (!o.complete && o.format == boot::Format::kPxelinux) text = "default trusted_boot\n" + text;
  if (!o.complete && o.format == boot::Format::kIpxe) text = "#!ipxe\ngoto trusted_boot\n" + text;
  boot::Config config = boot::parse_config(text, o.format);
  boot::check(config, text, {});
  for (const boot::Problem& problem : config.problems.all()) {
    if (problem.severity == boot::Severity::kFailure) std::abort();
  }
  const boot::Entry* entry = boot::find_entry(config, "trusted_boot");
  if (entry == nullptr || entry->images.size() != 3 || !boot::starts_tboot(*entry)) std::abort();
  const std::string tboot = o.format == boot::Format::kIpxe ? "tboot" : "tboot.gz";
  check_image(entry->images[0], tboot, std::string(o.tboot_args));
  check_image(entry->images[1], o.kernel,
              "root=UUID=12-ab ro text " + std::string(o.append) + " intel_iommu=on");
  check_image(entry->images[2], o.ramdisk, "");
  return 0;
}
