// SPDX-License-Identifier: Apache-2.0

// What is wrong with a boot configuration.

#ifndef LIBATTEST_BOOT_PROBLEM_H_
#define LIBATTEST_BOOT_PROBLEM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attest::boot {

enum class Severity {
  kInfo = 1,     // worth knowing
  kWarning = 2,  // boots, but not as it should
  kFailure = 3,  // does not boot
};

// Numbers and ids are never changed or reused.
enum class ProblemCode : std::int32_t {
  kDefaultMissing = 101,
  kDefaultTwice = 102,
  kDefaultUnknown = 103,
  kLabelTwice = 104,
  kKernelMissing = 105,
  kPlaceholder = 106,
  kTemplate = 107,
  kFirstLine = 108,
  kSyntax = 109,

  kLiteralMboot = 201,
  kSeparator = 202,
  kArgumentsCut = 203,
  kTbootCompressed = 204,
  kIommuMissing = 205,
  kPerDeployment = 206,
  kPerMachine = 207,
  kModuleMissing = 208,

  kFileMissing = 301,
  kFileOutside = 302,
  kFileUnusable = 303,
  kFileUnknown = 304,
};

std::string_view id_of(ProblemCode code) noexcept;  // "default-missing"; a literal

struct Problem {
  ProblemCode code{};
  Severity severity = Severity::kInfo;
  std::optional<std::size_t> line;
  std::string message;
};

// The first of them. Room is left for worse ones.
class Problems {
 public:
  static constexpr std::size_t kMax = 1000;
  static constexpr std::size_t kMaxWarnings = 800;  // with notes
  static constexpr std::size_t kMaxNotes = 600;

  void add(ProblemCode code, Severity severity, std::optional<std::size_t> line,
           std::string message);
  // By line, those of none last.
  void sort();
  const std::vector<Problem>& all() const noexcept { return all_; }

 private:
  std::vector<Problem> all_;
};

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_PROBLEM_H_
