#ifndef RONDO_SERVER_RPC_LIBRARY_LOGS_H_
#define RONDO_SERVER_RPC_LIBRARY_LOGS_H_

namespace rondo {

// Sends what gRPC and protobuf have to say to our log: as warnings, escaped, one line a second from each of their
// places. On their own they write to stderr whatever a client makes them say, as often as it likes. The line before
// protobuf ends the process is logged as an error, always; each assertion of gRPC has a place of its own.
//
// Threads: to be called before they are used; again does no harm.
void SendLibraryLogsToOurs();

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_LIBRARY_LOGS_H_
