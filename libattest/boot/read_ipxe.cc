// SPDX-License-Identifier: Apache-2.0

// iPXE's scripts (ipxe.org/scripting, ipxe.org/cmd): a command line after the other, each of
// commands with "||", "&&" and ";" between them.

#include "libattest/base/text.h"
#include "libattest/boot/configuration.h"
#include "libattest/boot/words.h"

namespace attest::boot {
namespace {

// Takes commands off the front of a line.
class Commands {
 public:
  explicit Commands(std::string_view line) : rest_(strip(line)) {}
  bool done() const noexcept { return rest_.empty(); }
  // The next command, without the word that ends it.
  std::string_view next() noexcept {
    std::size_t end = 0;
    for (Words words(rest_); !words.done();) {
      const std::size_t at = rest_.size() - words.rest().size();
      const std::string_view word = words.next();
      if (word.starts_with('#')) return take(at, rest_.size());
      if (is_any(word, {"||", "&&", ";"})) return take(at, at + word.size());
      end = at + word.size();
    }
    return take(end, rest_.size());
  }

 private:
  std::string_view take(std::size_t end, std::size_t next) noexcept {
    const std::string_view command = strip(rest_.substr(0, end));
    rest_ = strip(rest_.substr(next));
    return command;
  }
  std::string_view rest_;
};

// The words of an image command behind its options: "--timeout 100", "--name x", "--autofree".
Words behind_options(Words words) noexcept {
  for (Words next = words; !next.done(); words = next) {
    const std::string_view word = next.next();
    if (!word.starts_with('-')) break;
    if (is_any(word, {"--timeout", "-t", "--name", "-n"})) next.next();
  }
  return words;
}

class Script {
 public:
  explicit Script(Config& config) : config_(config) {}

  void label(std::string_view name, std::size_t line) {
    finish();
    begin(name, line);
  }

  void command(std::string_view text, std::size_t line) {
    Words words(text);
    const std::string_view name = words.next();
    if (entry_ == nullptr) begin("", line);
    entry_->end_line = line;
    if (is_any(name, {"kernel", "linux"})) {
      kernel_ = image(words, line);
    } else if (is_any(name, {"module", "initrd"})) {
      modules_.push_back(image(words, line));
    } else if (name == "boot" && behind_options(words).done()) {
      boots_ = true;
    } else if (is_any(name, {"boot", "chain", "goto", "sanboot", "exit", "reboot", "poweroff",
                             "shell", "imgexec", "autoboot"})) {
      goes_on_ = true;
    }
  }

  // What was read since the last label.
  void finish() {
    if (entry_ == nullptr) return;
    Entry& entry = *entry_;
    if (kernel_) {
      entry.images.push_back(*kernel_);
      entry.images.insert(entry.images.end(), modules_.begin(), modules_.end());
      entry.starts = is_tboot(kernel_->path) ? Starts::kModules : Starts::kLinux;
    } else if (goes_on_ || (!boots_ && modules_.empty())) {
      entry.starts = Starts::kOther;
    }
    kernel_.reset();
    modules_.clear();
    boots_ = goes_on_ = false;
  }

 private:
  void begin(std::string_view name, std::size_t line) { entry_ = &add_entry(config_, name, line); }

  static Image image(const Words& words, std::size_t line) {
    Words operands = behind_options(words);
    const std::string_view path = operands.next();
    return {line, std::string(path), std::string(operands.rest())};
  }

  Config& config_;
  Entry* entry_ = nullptr;  // the last of config_'s
  std::optional<Image> kernel_;
  std::vector<Image> modules_;
  bool boots_ = false;
  bool goes_on_ = false;
};

}  // namespace

void read_ipxe(Config& config, std::string_view text) {
  Words start(text.substr(0, text.find('\n')));
  if (text.empty() || is_space(text[0]) || !is_any(start.next(), {"#!ipxe", "#!gpxe"})) {
    config.problems.add(ProblemCode::kFirstLine, Severity::kFailure, 1,
                        "a script for iPXE begins with '#!ipxe' and nothing before it");
  }
  Script script(config);
  bool labels = false;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (line->starts_with(':')) {
      script.label(strip(line->substr(1)), lines.number());
      labels = true;
      continue;
    }
    // The first jump that nothing decides about leads to the label that is booted.
    Words words(*line);
    if (!labels && config.defaults.empty() && words.next() == "goto" && !words.done()) {
      const std::string_view label = words.next();
      const bool sure = label.find('$') == std::string_view::npos;
      config.defaults.push_back({lines.number(), std::string(label), sure});
    }
    for (Commands commands(*line); !commands.done();) {
      const std::string_view command = commands.next();
      if (!command.empty()) script.command(command, lines.number());
    }
  }
  script.finish();
}

}  // namespace attest::boot
