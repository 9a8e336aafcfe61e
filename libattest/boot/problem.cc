// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/problem.h"

#include <algorithm>
#include <limits>

namespace attest::boot {
namespace {

// How many there may be in all for one of this severity to be kept, too.
constexpr std::size_t room_for(Severity severity) noexcept {
  switch (severity) {
    case Severity::kInfo:
      return Problems::kMaxNotes;
    case Severity::kWarning:
      return Problems::kMaxWarnings;
    case Severity::kFailure:
      break;
  }
  return Problems::kMax;
}

}  // namespace

std::string_view id_of(ProblemCode code) noexcept {
  switch (code) {
    case ProblemCode::kDefaultMissing:
      return "default-missing";
    case ProblemCode::kDefaultTwice:
      return "default-twice";
    case ProblemCode::kDefaultUnknown:
      return "default-unknown";
    case ProblemCode::kLabelTwice:
      return "label-twice";
    case ProblemCode::kKernelMissing:
      return "kernel-missing";
    case ProblemCode::kPlaceholder:
      return "placeholder";
    case ProblemCode::kTemplate:
      return "template";
    case ProblemCode::kFirstLine:
      return "first-line";
    case ProblemCode::kSyntax:
      return "syntax";
    case ProblemCode::kLiteralMboot:
      return "literal-mboot";
    case ProblemCode::kSeparator:
      return "separator";
    case ProblemCode::kArgumentsCut:
      return "arguments-cut";
    case ProblemCode::kTbootCompressed:
      return "tboot-compressed";
    case ProblemCode::kIommuMissing:
      return "iommu-missing";
    case ProblemCode::kPerDeployment:
      return "per-deployment";
    case ProblemCode::kPerMachine:
      return "per-machine";
    case ProblemCode::kModuleMissing:
      return "module-missing";
    case ProblemCode::kFileMissing:
      return "file-missing";
    case ProblemCode::kFileOutside:
      return "file-outside";
    case ProblemCode::kFileUnusable:
      return "file-unusable";
    case ProblemCode::kFileUnknown:
      return "file-unknown";
  }
  return "?";
}

void Problems::add(ProblemCode code, Severity severity, std::optional<std::size_t> line,
                   std::string message) {
  if (all_.size() < room_for(severity)) {
    all_.push_back({code, severity, line, std::move(message)});
  }
}

void Problems::sort() {
  std::stable_sort(all_.begin(), all_.end(), [](const Problem& a, const Problem& b) {
    constexpr std::size_t kLast = std::numeric_limits<std::size_t>::max();
    return a.line.value_or(kLast) < b.line.value_or(kLast);
  });
}

}  // namespace attest::boot
