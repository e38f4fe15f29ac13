// How SQLite writes its write-ahead log (mailstore's own).
#pragma once

namespace mailbraid::mailstore {

/// The name of a VFS that is SQLite's own but for the log of a database: what is written there piece by piece, two
/// calls of the kernel's a page, is gathered and written in large pieces; at the latest when SQLite wants it to be
/// durable, reads it, or asks how long the file is. For connections at synchronous=FULL, or that write nothing: at
/// less, others would be told of a commit that is not written yet. Nor for a SQLite that is told that the disk is not
/// POWERSAFE_OVERWRITE (it is by default). Registered by the first call. Any thread.
const char* logVfs();

}  // namespace mailbraid::mailstore
