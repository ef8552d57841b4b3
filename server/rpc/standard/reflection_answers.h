#ifndef RONDO_SERVER_RPC_STANDARD_REFLECTION_ANSWERS_H_
#define RONDO_SERVER_RPC_STANDARD_REFLECTION_ANSWERS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace rondo {

// What server reflection says of a fixed set of services: their files, and all that these import.
//
// All names are indexed once. Asking the DescriptorPool for each request would let any client grow the server: the
// generated pool remembers every name it did not find, for ever.
//
// Ownership: borrows the pool's descriptors; the pool outlives this.
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

  void AddFile(const File* file);
  void AddMessage(const google::protobuf::Descriptor* message);
  void AddEnum(const google::protobuf::EnumDescriptor* type);
  void AddExtension(const google::protobuf::FieldDescriptor* extension);
  const File* FindFile(const grpc::reflection::v1alpha::ServerReflectionRequest& request) const;

  const std::vector<std::string> services_;
  absl::flat_hash_map<std::string, const File*> files_;                      // by file name
  absl::flat_hash_map<std::string, const File*> symbols_;                    // by full name
  absl::flat_hash_map<std::string, std::map<int, const File*>> extensions_;  // by extended message, then number
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_STANDARD_REFLECTION_ANSWERS_H_
