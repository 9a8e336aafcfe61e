// SPDX-License-Identifier: Apache-2.0

// GRUB's configuration files (GNU GRUB manual 2.06, section 6 "Writing your own configuration
// file"): commands of words, with quotes, comments and blocks in braces, as in a shell.

#include "libattest/base/text.h"
#include "libattest/boot/configuration.h"
#include "libattest/boot/words.h"

namespace attest::boot {
namespace {

struct Command {
  std::size_t line = 0;
  std::vector<std::string> words;  // "{" and "}" that were not quoted are commands of their own
};

// A cursor over the text: takes commands off its front.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  // Nothing at the end.
  std::optional<Command> next() {
    Command command;
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '\n' || is_any(rest_.substr(0, 1), {";", "&", "|"})) {
        skip();
        if (!command.words.empty()) return command;
      } else if (is_space(c)) {
        skip();
      } else if (c == '#') {
        while (!rest_.empty() && rest_[0] != '\n') skip();
      } else {
        const bool brace = is_brace();
        if (brace && !command.words.empty()) return command;
        if (command.words.empty()) command.line = line_;
        command.words.push_back(word());
        if (brace) return command;
      }
    }
    if (command.words.empty()) return std::nullopt;
    return command;
  }
  // The line of a quote that nothing closes; 0: none.
  std::size_t open_quote() const noexcept { return open_quote_; }

 private:
  // A brace is one only as a word of its own.
  bool is_brace() const noexcept {
    if (rest_[0] != '{' && rest_[0] != '}') return false;
    return rest_.size() == 1 || is_space(rest_[1]) || rest_[1] == ';';
  }

  void skip() noexcept {
    if (rest_[0] == '\n') ++line_;
    rest_.remove_prefix(1);
  }

  // The next character into `out`, whatever it is.
  void keep(std::string& out) {
    out.push_back(rest_[0]);
    skip();
  }

  void escaped(std::string& out) {
    skip();
    if (rest_.empty()) return;
    if (rest_[0] == '\n') {
      skip();
    } else {
      keep(out);
    }
  }

  void quoted(std::string& out) {
    const char quote = rest_[0];
    const std::size_t line = line_;
    skip();
    while (!rest_.empty() && rest_[0] != quote) {
      if (quote == '"' && rest_[0] == '\\') {
        escaped(out);
      } else {
        keep(out);
      }
    }
    if (rest_.empty()) {
      open_quote_ = line;
    } else {
      skip();
    }
  }

  std::string word() {
    std::string out;
    while (!rest_.empty() && !is_space(rest_[0]) && !is_any(rest_.substr(0, 1), {";", "&", "|"})) {
      if (rest_[0] == '\\') {
        escaped(out);
      } else if (rest_[0] == '"' || rest_[0] == '\'') {
        quoted(out);
      } else {
        keep(out);
      }
    }
    return out;
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  std::size_t open_quote_ = 0;
};

std::string join_from(const std::vector<std::string>& words, std::size_t first) {
  std::string out;
  for (std::size_t i = first; i < words.size(); ++i) {
    if (!out.empty()) out.push_back(' ');
    out.append(words[i]);
  }
  return out;
}

class Script {
 public:
  explicit Script(Config& config) : config_(config) {}

  void take(const Command& command) {
    const std::string& name = command.words[0];
    if (in_entry_) config_.entries.back().end_line = command.line;
    if (name == "{") {
      ++depth_;
    } else if (name == "}") {
      close(command.line);
    } else if (name == "menuentry") {
      begin(command);
    } else if (name == "set" && command.words.size() > 1) {
      assign(command.words[1], command.line);
    } else if (name.starts_with("default=")) {
      assign(name, command.line);
    } else if (in_entry_) {
      take_of_entry(command);
    } else if (name == "if") {
      ++num_conditions_;
    } else if (name == "fi" && num_conditions_ != 0) {
      --num_conditions_;
    } else if (is_any(name, {"source", ".", "configfile"})) {
      config_.includes = true;
    }
  }

  void finish(std::size_t open_quote) {
    if (open_quote != 0) {
      fail(open_quote, "a quote that begins in this line is never closed");
    } else if (depth_ != 0) {
      const bool label = in_entry_ && !config_.entries.empty();
      fail(label ? config_.entries.back().line : 1, "a '{' is never closed");
    }
  }

 private:
  void fail(std::size_t line, std::string_view why) {
    config_.problems.add(ProblemCode::kSyntax, Severity::kFailure, line, std::string(why));
  }

  void begin(const Command& command) {
    const std::string title = command.words.size() > 1 ? command.words[1] : "";
    if (in_entry_) fail(command.line, "a menuentry within another one");
    add_entry(config_, title, command.line);
    in_entry_ = true;
    entry_depth_ = depth_;
  }

  void close(std::size_t line) {
    if (depth_ == 0) {
      fail(line, "a '}' that closes nothing");
      return;
    }
    --depth_;
    if (in_entry_ && depth_ == entry_depth_) in_entry_ = false;
  }

  void assign(const std::string& assignment, std::size_t line) {
    constexpr std::string_view kDefault = "default=";
    if (!assignment.starts_with(kDefault)) return;
    std::string label = assignment.substr(kDefault.size());
    // "submenu>entry"
    if (const std::size_t at = label.rfind('>'); at != std::string::npos) label.erase(0, at + 1);
    const bool sure = num_conditions_ == 0 && label.find('$') == std::string::npos;
    config_.defaults.push_back({line, std::move(label), sure});
  }

  void take_of_entry(const Command& command) {
    Entry& entry = config_.entries.back();
    const std::string& name = command.words[0];
    std::size_t first = 1;
    while (first < command.words.size() && command.words[first].starts_with("--")) ++first;
    if (is_any(name, {"linux", "linux16", "linuxefi"})) {
      add(entry, Starts::kLinux, command, first);
    } else if (is_any(name, {"multiboot", "multiboot2"})) {
      add(entry, Starts::kModules, command, first);
    } else if (is_any(name, {"module", "module2"})) {
      add(entry, entry.starts, command, first);
    } else if (is_any(name, {"initrd", "initrd16", "initrdefi"})) {
      for (; first < command.words.size(); ++first) {
        entry.images.push_back({command.line, command.words[first], {}});
      }
    } else if (entry.images.empty() && is_any(name, {"chainloader", "configfile", "exit", "reboot",
                                                     "halt", "fwsetup", "normal"})) {
      entry.starts = Starts::kOther;
    }
  }

  static void add(Entry& entry, Starts starts, const Command& command, std::size_t first) {
    if (first >= command.words.size()) return;
    entry.starts = starts;
    entry.images.push_back(
        {command.line, command.words[first], join_from(command.words, first + 1)});
  }

  Config& config_;
  std::size_t depth_ = 0;
  std::size_t entry_depth_ = 0;
  std::size_t num_conditions_ = 0;  // `if` without its `fi`
  bool in_entry_ = false;
};

}  // namespace

void read_grub(Config& config, std::string_view text) {
  Script script(config);
  Lexer lexer(text);
  while (const auto command = lexer.next()) script.take(*command);
  script.finish(lexer.open_quote());
}

}  // namespace attest::boot
