#include "server/rpc/standard/reflection_answers.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "google/protobuf/descriptor.pb.h"

namespace rondo {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::ServiceDescriptor;
using grpc::reflection::v1alpha::FileDescriptorResponse;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

void SetError(absl::StatusCode code, const char* message, ServerReflectionResponse* response) {
  response->mutable_error_response()->set_error_code(static_cast<int>(code));
  response->mutable_error_response()->set_error_message(message);
}

// `file` first: grpcurl takes the first file for the answer.
void AppendWithImports(const FileDescriptor* file, absl::flat_hash_set<const FileDescriptor*>* seen,
                       FileDescriptorResponse* response) {
  if (!seen->insert(file).second) return;
  FileDescriptorProto proto;
  file->CopyTo(&proto);
  proto.SerializeToString(response->add_file_descriptor_proto());
  for (int i = 0; i < file->dependency_count(); ++i) AppendWithImports(file->dependency(i), seen, response);
}

}  // namespace

ReflectionAnswers::ReflectionAnswers(std::vector<std::string> services, const DescriptorPool& pool)
    : services_(std::move(services)) {
  for (const std::string& name : services_) {
    if (const ServiceDescriptor* service = pool.FindServiceByName(name)) AddFile(service->file());
  }
}

void ReflectionAnswers::AddFile(const FileDescriptor* file) {
  if (pool_.FindFileByName(file->name()) != nullptr) return;
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i));
  FileDescriptorProto proto;
  file->CopyTo(&proto);
  pool_.BuildFile(proto);
}

const FileDescriptor* ReflectionAnswers::FindFile(const ServerReflectionRequest& request) const {
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      return pool_.FindFileByName(request.file_by_filename());
    case ServerReflectionRequest::kFileContainingSymbol: {
      const std::string& symbol = request.file_containing_symbol();
      const FileDescriptor* const found = pool_.FindFileContainingSymbol(symbol);
      // A package is no symbol: it has any number of files.
      const bool is_package = found != nullptr && absl::StartsWith(found->package() + ".", symbol + ".");
      return is_package ? nullptr : found;
    }
    default: {
      const auto& wanted = request.file_containing_extension();
      const Descriptor* const extended = pool_.FindMessageTypeByName(wanted.containing_type());
      if (extended == nullptr) return nullptr;
      const FieldDescriptor* const found = pool_.FindExtensionByNumber(extended, wanted.extension_number());
      return found == nullptr ? nullptr : found->file();
    }
  }
}

ServerReflectionResponse ReflectionAnswers::Answer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices: {
      auto* list = response.mutable_list_services_response();
      for (const std::string& name : services_) list->add_service()->set_name(name);
      break;
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType: {
      const Descriptor* const extended = pool_.FindMessageTypeByName(request.all_extension_numbers_of_type());
      if (extended == nullptr) {
        SetError(absl::StatusCode::kNotFound, "no served file has such a message type", &response);
        break;
      }
      auto* numbers = response.mutable_all_extension_numbers_response();
      numbers->set_base_type_name(extended->full_name());
      std::vector<const FieldDescriptor*> extensions;
      pool_.FindAllExtensions(extended, &extensions);
      for (const FieldDescriptor* const extension : extensions) numbers->add_extension_number(extension->number());
      break;
    }
    case ServerReflectionRequest::kFileByFilename:
    case ServerReflectionRequest::kFileContainingSymbol:
    case ServerReflectionRequest::kFileContainingExtension:
      if (const File* file = FindFile(request)) {
        absl::flat_hash_set<const File*> seen;
        AppendWithImports(file, &seen, response.mutable_file_descriptor_response());
      } else {
        SetError(absl::StatusCode::kNotFound, "no served file has that name, symbol or extension", &response);
      }
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      SetError(absl::StatusCode::kInvalidArgument, "the request asks for nothing this protocol knows", &response);
      break;
  }
  return response;
}

}  // namespace rondo
