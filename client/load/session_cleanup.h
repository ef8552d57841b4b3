#ifndef RONDO_CLIENT_LOAD_SESSION_CLEANUP_H_
#define RONDO_CLIENT_LOAD_SESSION_CLEANUP_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"

namespace rondo::load {

// Deletes these sessions, many at a time; one that is already gone counts as deleted. Gives up once the server cannot
// be reached. Returns how many are left.
size_t DeleteSessions(const std::shared_ptr<grpc::Channel>& channel, const std::vector<std::string>& ids);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_SESSION_CLEANUP_H_
