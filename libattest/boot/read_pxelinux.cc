// SPDX-License-Identifier: Apache-2.0

// PXELINUX's configuration files (Syslinux 6.04, doc/syslinux.txt): a keyword in any case and its
// value a line.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

#include "libattest/base/text.h"
#include "libattest/boot/configuration.h"
#include "libattest/boot/words.h"

namespace attest::boot {
namespace {

struct Directive {
  std::string_view keyword;
  std::string_view value;
  std::size_t line = 0;
};

// What follows a label, or stands before the first one.
struct Section {
  std::string_view label;
  std::size_t line = 0;
  std::vector<Directive> directives;
};

bool is_any_keyword(std::string_view word, std::initializer_list<std::string_view> of) noexcept {
  return std::ranges::any_of(of, [&](std::string_view one) { return is_keyword(word, one); });
}

// The last one counts.
Directive find(const Section& section, std::initializer_list<std::string_view> keywords) {
  Directive found;
  for (const Directive& d : section.directives) {
    if (is_any_keyword(d.keyword, keywords)) found = d;
  }
  return found;
}

bool is_com32(std::string_view path) noexcept {
  return path.size() > 4 && is_keyword(path.substr(path.size() - 4), ".c32");
}

// "mboot" of "bios/mboot.c32".
std::string_view stem_of(std::string_view path) noexcept {
  if (is_com32(path)) path.remove_suffix(4);
  const std::size_t slash = path.find_last_of("/:");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// What is between words "---": mboot.c32 does not know one that has something else beside it.
std::vector<std::string_view> split_modules(std::string_view append) {
  constexpr std::string_view kSeparator = "---";
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  std::size_t at = append.find(kSeparator);
  while (at != std::string_view::npos) {
    const std::size_t end = at + kSeparator.size();
    const bool begins = at == begin || is_space(append[at - 1]);
    const bool ends = end == append.size() || is_space(append[end]);
    if (begins && ends) {
      out.push_back(strip(append.substr(begin, at - begin)));
      begin = end;
    }
    at = append.find(kSeparator, begins && ends ? end : at + 1);
  }
  out.push_back(strip(append.substr(begin)));
  return out;
}

// What follows the kernel's name in its own line, and behind it what `append` says: PXELINUX makes
// one command line of the two.
class Arguments {
 public:
  Arguments(std::size_t line, std::string_view beside, const Directive& append)
      : text_(beside), size_(beside.size()), line_(line), append_line_(append.line) {
    if (!beside.empty() && !append.value.empty()) text_.push_back(' ');
    text_.append(append.value);
  }

  std::string_view text() const noexcept { return text_; }
  // The line that a part of text() begins in.
  std::size_t line_of(std::string_view part) const noexcept {
    const auto at = static_cast<std::size_t>(part.data() - text_.data());
    return append_line_ == 0 || at < size_ ? line_ : append_line_;
  }

 private:
  std::string text_;
  std::size_t size_;  // of what is in the kernel's line
  std::size_t line_;
  std::size_t append_line_;  // 0: there is no `append`
};

void take_modules(Config& config, Entry& entry, const Arguments& arguments) {
  entry.starts = Starts::kModules;
  for (const std::string_view module : split_modules(arguments.text())) {
    const std::size_t line = arguments.line_of(module);
    if (module.find("---") != std::string_view::npos) {
      config.problems.add(ProblemCode::kSeparator, Severity::kFailure, line,
                          "'---' in '" + printable(module, 80) +
                              "' has no space on both sides: mboot.c32 does not begin a module "
                              "there");
    }
    Words words(module);
    std::string_view path = words.next();
    while (path.starts_with('-') && !words.done()) path = words.next();  // mboot.c32's own options
    entry.images.push_back({line, std::string(path), std::string(words.rest())});
  }
}

// The kernel, and the ramdisks of `initrd a,b` or `append initrd=a,b`.
void take_linux(Entry& entry, const Directive& kernel, const Arguments& arguments,
                const Directive& initrd) {
  entry.starts = Starts::kLinux;
  entry.images.push_back({kernel.line, std::string(kernel.value), std::string(arguments.text())});
  Directive from = initrd;  // which stands behind the arguments, and the first counts
  for (Words words(arguments.text()); !words.done();) {
    const std::string_view word = words.next();
    if (!word.starts_with("initrd=")) continue;
    from = {{}, word.substr(7), arguments.line_of(word)};
    break;
  }
  std::string_view rest = from.value;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    entry.images.push_back({from.line, std::string(rest.substr(0, comma)), {}});
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
}

bool is_boot_sector(std::string_view path) noexcept {
  constexpr std::array<std::string_view, 5> kEndings = {".0", ".bin", ".bs", ".bss", ".img"};
  return std::ranges::any_of(kEndings, [&](std::string_view e) { return path.ends_with(e); });
}

void take_label(Config& config, const Section& section, const Section& global) {
  Entry& entry = add_entry(config, section.label, section.line);
  if (!section.directives.empty()) entry.end_line = section.directives.back().line;
  Directive kernel = find(section, {"kernel", "linux", "com32", "localboot", "config", "pxe",
                                    "boot", "bss", "fdimage", "comboot"});
  Directive append = find(section, {"append"});
  if (append.line == 0) append = find(global, {"append"});
  if (append.value == "-") append.value = {};  // "append -": not the global one either
  if (kernel.value.empty()) return;
  Words words(kernel.value);
  kernel.value = words.next();
  const Arguments arguments(kernel.line, words.rest(), append);
  const bool com32 = is_keyword(kernel.keyword, "com32") ||
                     (is_keyword(kernel.keyword, "kernel") && is_com32(kernel.value));
  if (!is_any_keyword(kernel.keyword, {"kernel", "linux", "com32"}) ||
      is_boot_sector(kernel.value)) {
    entry.starts = Starts::kOther;
  } else if (stem_of(kernel.value) == "mboot") {
    if (!com32) {
      config.problems.add(ProblemCode::kLiteralMboot, Severity::kFailure, kernel.line,
                          "'" + printable(kernel.keyword) + " " + printable(kernel.value) +
                              "' names no COM32 module: PXELINUX 5 and newer look for a Linux "
                              "kernel of that name. Write mboot.c32");
    }
    entry.loader = kernel.value;
    take_modules(config, entry, arguments);
  } else if (com32) {
    entry.starts = Starts::kOther;
    entry.loader = kernel.value;
  } else {
    take_linux(entry, kernel, arguments, find(section, {"initrd"}));
  }
  const Directive ipappend = find(section, {"ipappend", "sysappend"});
  if (entry.starts == Starts::kModules && ipappend.line != 0 && ipappend.value != "0") {
    config.problems.add(ProblemCode::kPerMachine, Severity::kInfo, ipappend.line,
                        "'" + printable(ipappend.keyword) +
                            "' adds what is this machine's own behind the last module, and tboot "
                            "measures it there");
  }
}

bool is_menu_include(std::string_view keyword, Words words) noexcept {
  return is_keyword(keyword, "menu") && is_keyword(words.next(), "include");
}

// The last line of a section that begins with `menu` and one of these words; 0: none.
std::size_t menu_line(const Section& section, std::initializer_list<std::string_view> words) {
  std::size_t line = 0;
  for (const Directive& d : section.directives) {
    const bool menu = is_keyword(d.keyword, "menu");
    if (menu && is_any_keyword(Words(d.value).next(), words)) line = d.line;
  }
  return line;
}

// Whether a menu shows this label. It starts no other, whatever names it.
bool is_shown(const Section& section) {
  return !section.label.empty() && menu_line(section, {"hide", "disable", "disabled"}) == 0;
}

// What a menu starts of itself: the last label that says so, else the first that it shows.
std::vector<Choice> chosen_by_menu(const std::vector<Section>& sections) {
  std::vector<Choice> chosen;
  for (const Section& section : sections) {
    if (!is_shown(section)) continue;
    const std::size_t line = menu_line(section, {"default"});
    if (line != 0) {
      chosen = {{line, std::string(section.label), true}};
    } else if (chosen.empty()) {
      chosen = {{section.line, std::string(section.label), true}};
    }
  }
  return chosen;
}

// Whether only a menu's user, a clock or another file knows what it starts.
bool is_open(const Config& config, const std::vector<Section>& sections, bool has_default) {
  return config.includes || std::ranges::any_of(sections, [=](const Section& section) {
           return find(section, {"ontimeout"}).line != 0 ||
                  (!has_default && menu_line(section, {"begin"}) != 0);
         });
}

// PXELINUX starts what the last `ui` line names, else the last `default` line. A menu shows this
// file's labels and starts one of them: beside a `ui` line, that of the last `default` line.
void resolve_menu(Config& config, const std::vector<Section>& sections, const Directive& ui,
                  const Directive& last_default) {
  const Directive& started = ui.line != 0 ? ui : last_default;
  Words words(started.value);
  const std::string_view name = words.next();
  const bool is_label = find_entry(config, name) != nullptr;
  const bool is_module = !is_label && is_com32(name);
  const std::string_view stem = stem_of(name);
  if (!is_module || (stem != "menu" && stem != "vesamenu")) {
    // Other modules may be menus, too. What mboot.c32 is given in such a line is no label's.
    const bool other = is_module && stem != "mboot";
    if (ui.line != 0 || other) config.defaults = {{started.line, std::string(name), !other}};
    return;
  }
  config.menu = {started.line, std::string(name), std::string(words.rest())};
  const std::string_view label = Words(last_default.value).next();
  const bool has_default = ui.line != 0 && std::ranges::any_of(sections, [&](const Section& s) {
                             return s.label == label && is_shown(s);
                           });
  if (!has_default) config.defaults = chosen_by_menu(sections);
  const bool other_file = !words.done();
  const bool sure = !other_file && !is_open(config, sections, has_default);
  for (Choice& choice : config.defaults) choice.sure = sure;
}

}  // namespace

void read_pxelinux(Config& config, std::string_view text) {
  std::vector<Section> sections(1);
  Directive ui;
  Directive last_default;
  bool help = false;  // between `text` and `endtext`
  Lines lines(text);
  while (const auto line = lines.next()) {
    Words words(line->substr(0, line->find('\r')));  // PXELINUX reads no further
    const std::string_view keyword = words.next();
    if (help || keyword.empty() || keyword.starts_with('#')) {
      help = help && !is_keyword(keyword, "endtext");
    } else if (is_keyword(keyword, "text")) {
      help = true;
    } else if (is_keyword(keyword, "label")) {
      sections.push_back({words.next(), lines.number(), {}});
    } else if (is_keyword(keyword, "include") || is_menu_include(keyword, words)) {
      config.includes = true;
    } else if (is_keyword(keyword, "ui")) {
      ui = {keyword, words.rest(), lines.number()};
    } else if (is_keyword(keyword, "default")) {
      last_default = {keyword, words.rest(), lines.number()};
      config.defaults.push_back({lines.number(), std::string(words.next()), true});
    } else {
      sections.back().directives.push_back({keyword, words.rest(), lines.number()});
    }
  }
  for (std::size_t i = 1; i < sections.size(); ++i) take_label(config, sections[i], sections[0]);
  resolve_menu(config, sections, ui, last_default);
}

}  // namespace attest::boot
