// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/check.h"

#include <algorithm>
#include <array>
#include <set>

#include "libattest/base/text.h"
#include "libattest/boot/command_line.h"
#include "libattest/boot/words.h"

namespace attest::boot {
namespace {

std::string quoted(std::string_view text) { return "'" + printable(text, 80) + "'"; }

void check_labels(Config& config, const Entry* selected) {
  std::set<std::string_view> seen;
  for (const Entry& entry : config.entries) {
    if (!seen.insert(entry.label).second) {
      config.problems.add(ProblemCode::kLabelTwice, Severity::kWarning, entry.line,
                          "the label " + quoted(entry.label) + " is there already");
    }
    if (entry.starts == Starts::kNothing) {
      const bool boots = &entry == selected;
      config.problems.add(ProblemCode::kKernelMissing,
                          boots ? Severity::kFailure : Severity::kWarning, entry.line,
                          "the label " + quoted(entry.label) + " has no kernel");
    }
  }
}

// GRUB's default may be a number, from 0.
const Entry* find_default(const Config& config, std::string_view label) noexcept {
  const Entry* entry = find_entry(config, label);
  if (entry != nullptr || config.format != Format::kGrub) return entry;
  const auto index = parse_decimal(label, kMaxEntries);
  return index && *index < config.entries.size() ? config.entries.data() + *index : nullptr;
}

// What boots when nothing is said: GRUB's first entry, and what an iPXE script begins with.
const Entry* first_entry(Config& config) {
  if (config.format == Format::kPxelinux && config.includes) return nullptr;
  if (config.format == Format::kPxelinux) {
    config.problems.add(ProblemCode::kDefaultMissing, Severity::kFailure, std::nullopt,
                        "no 'default' line: PXELINUX waits at its prompt");
    return nullptr;
  }
  return config.entries.empty() ? nullptr : config.entries.data();
}

// The entry that boots; nullptr when that can not be said.
const Entry* select(Config& config, std::optional<std::string_view> label) {
  if (label) {
    const Entry* entry = find_entry(config, *label);
    if (entry == nullptr && !config.includes) {
      config.problems.add(ProblemCode::kDefaultUnknown, Severity::kFailure, std::nullopt,
                          "no label " + quoted(*label));
    }
    return entry;
  }
  if (config.defaults.empty()) return first_entry(config);
  const auto sure = [](const Choice& choice) { return choice.sure; };
  if (!std::all_of(config.defaults.begin(), config.defaults.end(), sure)) return nullptr;
  for (std::size_t i = 1; i < config.defaults.size(); ++i) {
    config.problems.add(ProblemCode::kDefaultTwice, Severity::kFailure, config.defaults[i].line,
                        "chooses " + quoted(config.defaults[i].label) + ", and line " +
                            std::to_string(config.defaults[0].line) + " chooses " +
                            quoted(config.defaults[0].label));
  }
  const Choice& last = config.defaults.back();
  const Entry* entry = find_default(config, last.label);
  if (entry == nullptr && !config.includes) {
    config.problems.add(ProblemCode::kDefaultUnknown, Severity::kFailure, last.line,
                        "chooses " + quoted(last.label) + ", which is no label");
  }
  return entry;
}

// What is left of a template: "{{ …" that is no placeholder, "{% …".
bool is_template(std::string_view line) noexcept {
  if (line.find("{%") != std::string_view::npos) return true;
  for (std::size_t at = line.find("{{"); at != std::string_view::npos;
       at = line.find("{{", at + 1)) {
    const std::string_view rest = line.substr(at + 2);
    if (!rest.starts_with(" ROOT }}") && !rest.starts_with(" DISK_IDENTIFIER }}")) return true;
  }
  return false;
}

void check_placeholders(Config& config, std::string_view text, const Entry* selected) {
  constexpr std::array<std::string_view, 4> kPlaceholders = {
      "{{ ROOT }}", "(( ROOT ))", "{{ DISK_IDENTIFIER }}", "(( DISK_IDENTIFIER ))"};
  bool rendered = true;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (rendered && is_template(*line)) {
      rendered = false;
      config.problems.add(ProblemCode::kTemplate, Severity::kFailure, lines.number(),
                          "this is a template, which nothing has filled in");
    }
    const bool boots = selected != nullptr && lines.number() >= selected->line &&
                       lines.number() <= selected->end_line;
    for (const std::string_view placeholder : kPlaceholders) {
      if (!boots || line->find(placeholder) == std::string_view::npos) continue;
      config.problems.add(ProblemCode::kPlaceholder, Severity::kFailure, lines.number(),
                          "the label that boots has the placeholder " + std::string(placeholder) +
                              ", which was not replaced");
    }
  }
}

void check_word(Config& config, const Image& image, std::string_view word) {
  for (const std::string_view name : {"ipa-global-request-id=", "ipa-agent-token="}) {
    if (!word.starts_with(name)) continue;
    config.problems.add(ProblemCode::kPerDeployment, Severity::kWarning, image.line,
                        quoted(name) +
                            " is another one at each deployment, and so is what tboot "
                            "measures");
  }
  const bool variable = config.format == Format::kIpxe && word.find("${") != std::string_view::npos;
  if (word.starts_with("BOOTIF=") || word.starts_with("ip=") || variable) {
    config.problems.add(ProblemCode::kPerMachine, Severity::kInfo, image.line,
                        quoted(word) + " is this machine's own, and so is what tboot measures");
  }
}

bool turns_iommu_on(std::string_view arguments) noexcept {
  bool on = false;
  for (Words words(arguments); !words.done();) {
    const std::string_view word = words.next();
    constexpr std::string_view kName = "intel_iommu=";
    if (word.starts_with(kName)) on = word.substr(kName.size(), 2) == "on";
  }
  return on;
}

// The kernel that tboot starts.
void check_kernel(Config& config, const Image& tboot, const Image& kernel) {
  const std::string first =
      tboot.arguments.empty() ? tboot.path : tboot.path + " " + tboot.arguments;
  if (const auto why = why_cut(config.format, first, kernel.path, kernel.arguments.size())) {
    config.problems.add(ProblemCode::kArgumentsCut, Severity::kFailure, kernel.line,
                        "the kernel has " + *why);
  }
  if (!turns_iommu_on(kernel.arguments)) {
    config.problems.add(ProblemCode::kIommuMissing, Severity::kWarning, kernel.line,
                        "intel_iommu=on is missing: devices reach the memory that was measured");
  }
}

// A label that starts tboot.
void check_launch(Config& config, const Entry& entry) {
  if (entry.starts != Starts::kModules) {
    config.problems.add(ProblemCode::kSyntax, Severity::kFailure, entry.images[0].line,
                        "tboot is no Linux kernel: mboot.c32, multiboot2 or iPXE's modules start "
                        "it");
    return;
  }
  if (entry.images.size() < 2 || entry.images[1].path.empty()) {
    config.problems.add(ProblemCode::kModuleMissing, Severity::kFailure, entry.images[0].line,
                        "tboot is given no kernel");
    return;
  }
  if (entry.images.size() < 3 || entry.images[2].path.empty()) {
    config.problems.add(ProblemCode::kModuleMissing, Severity::kWarning, entry.images[0].line,
                        "tboot is given no ramdisk");
  }
  check_kernel(config, entry.images[0], entry.images[1]);
  for (const Image& image : entry.images) {
    for (Words words(image.arguments); !words.done();) check_word(config, image, words.next());
  }
}

}  // namespace

void check_tboot_name(Config& config, const Image& tboot) {
  std::string_view path = tboot.path;
  path = path.substr(0, path.find('?'));
  if (config.format != Format::kIpxe || !path.ends_with(".gz")) return;
  config.problems.add(ProblemCode::kTbootCompressed, Severity::kFailure, tboot.line,
                      quoted(tboot.path) +
                          " is compressed, going by its name, and iPXE does not "
                          "unpack it");
}

void check(Config& config, std::string_view text, const CheckOptions& options) {
  const Entry* const selected = select(config, options.label);
  check_labels(config, selected);
  check_placeholders(config, text, selected);
  for (const Entry& entry : config.entries) {
    if (!starts_tboot(entry)) continue;
    check_launch(config, entry);
    if (!options.boot_root) check_tboot_name(config, entry.images[0]);
  }
  if (options.boot_root) check_files(config, selected, *options.boot_root);
  config.problems.sort();
}

}  // namespace attest::boot
