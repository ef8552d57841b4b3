#include "server/rpc/standard/reflection_answers.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "google/protobuf/descriptor.pb.h"

namespace rondo {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
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
  if (!files_.emplace(file->name(), file).second) return;
  for (int i = 0; i < file->message_type_count(); ++i) AddMessage(file->message_type(i));
  for (int i = 0; i < file->enum_type_count(); ++i) AddEnum(file->enum_type(i));
  for (int i = 0; i < file->extension_count(); ++i) AddExtension(file->extension(i));
  for (int i = 0; i < file->service_count(); ++i) {
    const ServiceDescriptor* service = file->service(i);
    symbols_.emplace(service->full_name(), file);
    for (int j = 0; j < service->method_count(); ++j) symbols_.emplace(service->method(j)->full_name(), file);
  }
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i));
}

void ReflectionAnswers::AddMessage(const Descriptor* message) {
  symbols_.emplace(message->full_name(), message->file());
  extensions_[message->full_name()];  // known, though perhaps never extended
  for (int i = 0; i < message->field_count(); ++i) symbols_.emplace(message->field(i)->full_name(), message->file());
  for (int i = 0; i < message->oneof_decl_count(); ++i) {
    symbols_.emplace(message->oneof_decl(i)->full_name(), message->file());
  }
  for (int i = 0; i < message->enum_type_count(); ++i) AddEnum(message->enum_type(i));
  for (int i = 0; i < message->extension_count(); ++i) AddExtension(message->extension(i));
  for (int i = 0; i < message->nested_type_count(); ++i) AddMessage(message->nested_type(i));
}

void ReflectionAnswers::AddEnum(const EnumDescriptor* type) {
  symbols_.emplace(type->full_name(), type->file());
  for (int i = 0; i < type->value_count(); ++i) symbols_.emplace(type->value(i)->full_name(), type->file());
}

void ReflectionAnswers::AddExtension(const FieldDescriptor* extension) {
  symbols_.emplace(extension->full_name(), extension->file());
  extensions_[extension->containing_type()->full_name()].emplace(extension->number(), extension->file());
}

const FileDescriptor* ReflectionAnswers::FindFile(const ServerReflectionRequest& request) const {
  const auto find = [](const auto& map, const auto& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
  };
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      return find(files_, request.file_by_filename());
    case ServerReflectionRequest::kFileContainingSymbol:
      return find(symbols_, request.file_containing_symbol());
    default: {
      const auto& wanted = request.file_containing_extension();
      const auto extended = extensions_.find(wanted.containing_type());
      return extended == extensions_.end() ? nullptr : find(extended->second, wanted.extension_number());
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
      const auto extended = extensions_.find(request.all_extension_numbers_of_type());
      if (extended == extensions_.end()) {
        SetError(absl::StatusCode::kNotFound, "no served file has such a message type", &response);
        break;
      }
      auto* numbers = response.mutable_all_extension_numbers_response();
      numbers->set_base_type_name(extended->first);
      for (const auto& [number, file] : extended->second) numbers->add_extension_number(number);
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
