#include "server/rpc/standard/reflection_answers.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/descriptor_database.h"
#include "gtest/gtest.h"
#include "rondo/v1/inference.pb.h"
#include "rondo/v1/models.pb.h"

namespace rondo {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::SimpleDescriptorDatabase;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int kNotFound = 5;
constexpr int kInvalidArgument = 3;

ServerReflectionRequest BySymbol(const std::string& symbol) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol(symbol);
  return request;
}

ServerReflectionRequest ByFilename(const std::string& name) {
  ServerReflectionRequest request;
  request.set_file_by_filename(name);
  return request;
}

std::vector<std::string> FileNames(const ServerReflectionResponse& response) {
  std::vector<std::string> names;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  return names;
}

// top.proto (service t.Top) imports left and right, which both import base.proto; t.Base is extended in left.proto as
// 100 and in right.proto as 101. unserved.proto belongs to no service.
class ReflectionAnswersTest : public testing::Test {
 protected:
  ReflectionAnswersTest() {
    FileDescriptorProto base = File("base.proto", {});
    auto* message = base.add_message_type();
    message->set_name("Base");
    auto* range = message->add_extension_range();
    range->set_start(100);
    range->set_end(200);
    auto* nested = message->add_nested_type();
    nested->set_name("Nested");
    AddField("number", 1, nested->add_field());
    auto* type = message->add_enum_type();
    type->set_name("Color");
    type->add_value()->set_name("RED");
    type->mutable_value(0)->set_number(0);
    Build(base);

    FileDescriptorProto left = File("left.proto", {"base.proto"});
    AddField("left_extra", 100, left.add_extension());
    left.mutable_extension(0)->set_extendee(".t.Base");
    Build(left);
    FileDescriptorProto right = File("right.proto", {"base.proto"});
    auto* holder = right.add_message_type();
    holder->set_name("Holder");
    AddField("right_extra", 101, holder->add_extension());
    holder->mutable_extension(0)->set_extendee(".t.Base");
    Build(right);

    FileDescriptorProto top = File("top.proto", {"left.proto", "right.proto", "base.proto"});
    auto* service = top.add_service();
    service->set_name("Top");
    auto* method = service->add_method();
    method->set_name("Call");
    method->set_input_type(".t.Base");
    method->set_output_type(".t.Base");
    Build(top);
    FileDescriptorProto unserved = File("unserved.proto", {});
    unserved.add_message_type()->set_name("Unserved");
    Build(unserved);
  }

  ServerReflectionResponse Answer(const ServerReflectionRequest& request) const {
    return ReflectionAnswers({"t.Top"}, pool_).Answer(request);
  }

 private:
  static FileDescriptorProto File(const std::string& name, const std::vector<std::string>& imports) {
    FileDescriptorProto file;
    file.set_name(name);
    file.set_package("t");
    for (const std::string& import : imports) file.add_dependency(import);
    return file;
  }
  static void AddField(const std::string& name, int number, FieldDescriptorProto* field) {
    field->set_name(name);
    field->set_number(number);
    field->set_type(FieldDescriptorProto::TYPE_INT32);
    field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
  }
  void Build(const FileDescriptorProto& file) { ASSERT_NE(pool_.BuildFile(file), nullptr) << file.name(); }

  DescriptorPool pool_;
};

TEST_F(ReflectionAnswersTest, ListsTheServicesAndRepeatsTheRequest) {
  ServerReflectionRequest request;
  request.set_host("here");
  request.set_list_services("");
  const ServerReflectionResponse response = Answer(request);
  ASSERT_EQ(response.list_services_response().service_size(), 1);
  EXPECT_EQ(response.list_services_response().service(0).name(), "t.Top");
  EXPECT_EQ(response.valid_host(), "here");
  EXPECT_EQ(response.original_request().SerializeAsString(), request.SerializeAsString());
}

TEST_F(ReflectionAnswersTest, TheFileAskedForComesFirstAndEachImportOnce) {
  EXPECT_THAT(FileNames(Answer(ByFilename("top.proto"))),
              ElementsAre("top.proto", "left.proto", "base.proto", "right.proto"));
  EXPECT_THAT(FileNames(Answer(ByFilename("right.proto"))), ElementsAre("right.proto", "base.proto"));
}

TEST_F(ReflectionAnswersTest, FindsEveryKindOfSymbol) {
  for (const char* symbol : {"t.Top", "t.Top.Call"}) {
    EXPECT_EQ(FileNames(Answer(BySymbol(symbol))).at(0), "top.proto") << symbol;
  }
  for (const char* symbol : {"t.Base", "t.Base.Nested", "t.Base.Nested.number", "t.Base.Color", "t.Base.RED"}) {
    EXPECT_EQ(FileNames(Answer(BySymbol(symbol))).at(0), "base.proto") << symbol;
  }
  EXPECT_EQ(FileNames(Answer(BySymbol("t.left_extra"))).at(0), "left.proto");
  EXPECT_EQ(FileNames(Answer(BySymbol("t.Holder.right_extra"))).at(0), "right.proto");
}

TEST_F(ReflectionAnswersTest, FindsExtensionsOnTheTopLevelAndNested) {
  ServerReflectionRequest request;
  request.mutable_file_containing_extension()->set_containing_type("t.Base");
  request.mutable_file_containing_extension()->set_extension_number(101);
  EXPECT_EQ(FileNames(Answer(request)).at(0), "right.proto");
  request.mutable_file_containing_extension()->set_extension_number(102);
  EXPECT_EQ(Answer(request).error_response().error_code(), kNotFound);

  ServerReflectionRequest all;
  all.set_all_extension_numbers_of_type("t.Base");
  EXPECT_THAT(Answer(all).all_extension_numbers_response().extension_number(), UnorderedElementsAre(100, 101));
  EXPECT_EQ(Answer(all).all_extension_numbers_response().base_type_name(), "t.Base");
  all.set_all_extension_numbers_of_type("t.Base.Nested");
  EXPECT_TRUE(Answer(all).has_all_extension_numbers_response());
  EXPECT_THAT(Answer(all).all_extension_numbers_response().extension_number(), IsEmpty());
}

TEST_F(ReflectionAnswersTest, WhatIsNotServedIsNotFound) {
  std::vector<ServerReflectionRequest> requests;
  for (const char* name : {"unserved.proto", "", "../top.proto"}) requests.push_back(ByFilename(name));
  for (const char* name : {"t.Unserved", "", "t", "t.", ".t.Top", "t.Top.Other"}) requests.push_back(BySymbol(name));
  requests.emplace_back().set_all_extension_numbers_of_type("t.Unserved");
  requests.emplace_back().mutable_file_containing_extension()->set_containing_type("t.Unserved");
  for (const ServerReflectionRequest& request : requests) {
    const ServerReflectionResponse response = Answer(request);
    EXPECT_EQ(response.error_response().error_code(), kNotFound) << request.ShortDebugString();
    EXPECT_FALSE(response.error_response().error_message().empty());
  }
}

TEST_F(ReflectionAnswersTest, RequestThatAsksNothingIsInvalid) {
  EXPECT_EQ(Answer(ServerReflectionRequest()).error_response().error_code(), kInvalidArgument);
}

TEST_F(ReflectionAnswersTest, AnswersAloneAreEnoughToRebuildOurServices) {
  const std::vector<std::string> services = {"rondo.v1.Inference", "rondo.v1.Models"};
  // Otherwise the linker may leave their generated code out, and the pool would not know them.
  ASSERT_NE(v1::PredictRequest::descriptor(), nullptr);
  ASSERT_NE(v1::Model::descriptor(), nullptr);
  const ReflectionAnswers answers(services, *DescriptorPool::generated_pool());
  SimpleDescriptorDatabase received;
  for (const std::string& service : services) {
    const ServerReflectionResponse response = answers.Answer(BySymbol(service));
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      FileDescriptorProto file;
      ASSERT_TRUE(file.ParseFromString(bytes));
      FileDescriptorProto known;
      if (!received.FindFileByName(file.name(), &known)) received.Add(file);
    }
  }
  DescriptorPool rebuilt(&received);
  for (const std::string& service : services) {
    ASSERT_NE(rebuilt.FindServiceByName(service), nullptr) << service;
    EXPECT_GT(rebuilt.FindServiceByName(service)->method_count(), 0);
  }
}

}  // namespace
}  // namespace rondo
