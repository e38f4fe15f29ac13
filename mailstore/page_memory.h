// Memory for SQLite's pages (mailstore's own).
#pragma once

#include <cstddef>

namespace mailbraid::mailstore {

/// The calling thread is about to fill its heap with some `octets` of a database's pages: where the system has huge
/// pages to give on advice, those come in such, a thousandth of the page faults. What a small run needs does not.
/// Advice only; nothing is held, and nothing can fail.
void expectPages(std::size_t octets) noexcept;

}  // namespace mailbraid::mailstore
