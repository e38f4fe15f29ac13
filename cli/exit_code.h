// What mailbraid tells the calling script: one table for the commands, the man page and its test.
#pragma once

#include "mailstore/types/error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mailbraid::cli {

enum class ExitCode : std::uint8_t {
  Complete = 0,
  Held = 10,
  Quarantined = 11,
  Different = 12,
  Usage = 64,
  StoreDamaged = 65,
  Unreachable = 69,
  Internal = 70,
  NotWritable = 73,
  Partial = 75,
  Protocol = 76,
  Refused = 77,
  Configuration = 78,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
};

/// Every code, the gravest first: the order decides which one a run of several endpoints ends with. First what needs a
/// programmer or threatens the store, then what needs a person's hand, then what another run may heal, then what
/// went well but waits for somebody.
inline constexpr std::array<ExitCodeRow, 13> kExitCodes{{
    {ExitCode::Internal, "internal", "a mistake in mailbraid itself"},
    {ExitCode::StoreDamaged, "store-damaged",
     "the store is damaged, or was written by a newer mailbraid; it was left as it is"},
    {ExitCode::NotWritable, "not-writable", "the disk is full, or a file or directory cannot be written"},
    {ExitCode::Usage, "usage", "the command line is wrong"},
    {ExitCode::Configuration, "configuration",
     "the configuration is wrong; each mistake is named with its file, line and key"},
    {ExitCode::Refused, "refused", "the login or the certificate was refused"},
    {ExitCode::Protocol, "protocol", "a server said something that is not its protocol"},
    {ExitCode::Unreachable, "unreachable", "a server cannot be reached, or went away"},
    {ExitCode::Partial, "partial", "partly done, or stopped, or another mailbraid holds the store; run it again"},
    {ExitCode::Different, "different", "verify, or the end of a migration, found differences"},
    {ExitCode::Quarantined, "quarantined",
     "complete but for messages that could not be taken in, or are not at the destination of a migration; they are "
     "looked at again later"},
    {ExitCode::Held, "held", "complete but for removals that the brake holds back until they are allowed"},
    {ExitCode::Complete, "complete", "every selected endpoint is complete; nothing to do is complete"},
}};

constexpr int number(ExitCode code) {
  return static_cast<int>(code);
}

/// 0 is the gravest.
constexpr std::size_t gravity(ExitCode code) {
  for (std::size_t at = 0; at < kExitCodes.size(); ++at) {
    if (kExitCodes[at].code == code) return at;
  }
  return 0;
}

constexpr ExitCode graver(ExitCode left, ExitCode right) {
  return gravity(left) <= gravity(right) ? left : right;
}

constexpr ExitCode exitCodeOf(mailstore::ErrorKind kind) {
  using mailstore::ErrorKind;
  switch (kind) {
    case ErrorKind::Usage:
      return ExitCode::Usage;
    case ErrorKind::StoreDamaged:
      return ExitCode::StoreDamaged;
    case ErrorKind::Unreachable:
      return ExitCode::Unreachable;
    case ErrorKind::Internal:
      return ExitCode::Internal;
    case ErrorKind::NotWritable:
      return ExitCode::NotWritable;
    case ErrorKind::TemporaryFailure:
      return ExitCode::Partial;
    case ErrorKind::Protocol:
      return ExitCode::Protocol;
    case ErrorKind::Refused:
      return ExitCode::Refused;
    case ErrorKind::Configuration:
      return ExitCode::Configuration;
    case ErrorKind::Cancelled:
      return ExitCode::Partial;
  }
  return ExitCode::Internal;
}

}  // namespace mailbraid::cli
