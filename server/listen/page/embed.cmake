# Makes a C++ source of the page: index.html, with each @NAME@ of a file beside it replaced by that file.
#   cmake -DOUTPUT=index_page.cc -P embed.cmake
set(folder ${CMAKE_CURRENT_LIST_DIR})
file(READ ${folder}/index.html page)
string(REGEX MATCHALL "@[a-z_]+\\.(css|js)@" marks "${page}")
foreach(mark IN LISTS marks)
  string(REPLACE "@" "" name ${mark})
  file(READ ${folder}/${name} part)
  string(REPLACE "${mark}" "${part}" page "${page}")
endforeach()
file(WRITE ${OUTPUT} "#include \"server/listen/index_page.h\"

namespace rondo {

const absl::string_view kIndexPage = R\"rondo_page(${page})rondo_page\";

}  // namespace rondo
")
