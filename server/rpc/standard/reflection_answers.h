#ifndef RONDO_SERVER_RPC_STANDARD_REFLECTION_ANSWERS_H_
#define RONDO_SERVER_RPC_STANDARD_REFLECTION_ANSWERS_H_

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace rondo {

// What server reflection says of a fixed set of services: their files, and all that these import.
//
// The files are built anew into a pool of its own. Asking the generated pool for each request would let any client grow
// the server: that pool remembers every name it did not find, for ever.
//
// Threads:   immutable after construction; any thread.
class ReflectionAnswers {
 public:
  // `services`: full names, e.g. "rondo.v1.Inference". One that `pool` does not know is listed, but has no file.
  ReflectionAnswers(std::vector<std::string> services, const google::protobuf::DescriptorPool& pool);

  // The answer to one request, whatever came before it on its stream. A file comes first, all it imports after it.
  // As the protocol says, an error is an answer too: NOT_FOUND, or INVALID_ARGUMENT for a request that asks nothing.
  grpc::reflection::v1alpha::ServerReflectionResponse Answer(
      const grpc::reflection::v1alpha::ServerReflectionRequest& request) const;

 private:
  using File = google::protobuf::FileDescriptor;

  // Adds `file` and all that it imports.
  void AddFile(const File* file);
  const File* FindFile(const grpc::reflection::v1alpha::ServerReflectionRequest& request) const;

  const std::vector<std::string> services_;
  google::protobuf::DescriptorPool pool_;  // of the files that are served
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_STANDARD_REFLECTION_ANSWERS_H_
