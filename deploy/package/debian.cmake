# `cpack -G DEB` in the build folder: rondo-server (the server as a service of systemd), rondo (the other programs) and
# librondo-dev (the C++ client library). Each is for the Debian that it is built on: what it depends on is read from the
# programs by dpkg-shlibdeps (Debian package dpkg-dev).
set(RONDO_MAINTAINER "Rondo <rondo@localhost>" CACHE STRING "Who answers for the Debian packages: NAME <MAIL>")
set(debian_dir ${CMAKE_CURRENT_BINARY_DIR}/debian)
set(debian_files ${CMAKE_CURRENT_SOURCE_DIR}/debian)

# The paths are Debian's own and not below a prefix, so nothing but the packages has these files.
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/rondo.service DESTINATION /usr/lib/systemd/system
  COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/rondo.sysusers DESTINATION /usr/lib/sysusers.d RENAME rondo.conf
  COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/server.flags DESTINATION /etc/rondo COMPONENT server EXCLUDE_FROM_ALL)
# Debian Policy 12.5 and 12.7: each package has the licence as `copyright`, and what changed.
add_custom_command(OUTPUT ${debian_dir}/CHANGELOG.md.gz DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md
  COMMAND gzip --best --no-name --stdout ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${debian_dir}/CHANGELOG.md.gz VERBATIM)
add_custom_target(rondo_debian_changelog ALL DEPENDS ${debian_dir}/CHANGELOG.md.gz)
foreach(of_component server:rondo-server programs:rondo library:librondo-dev)
  string(REPLACE ":" ";" of_component ${of_component})
  list(GET of_component 0 component)
  list(GET of_component 1 package)
  install(FILES ${debian_files}/copyright DESTINATION /usr/share/doc/${package}
    COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${debian_dir}/CHANGELOG.md.gz DESTINATION /usr/share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

file(WRITE ${debian_dir}/conffiles "/etc/rondo/server.flags\n")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR Rondo)
set(CPACK_PACKAGE_CONTACT "${RONDO_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)  # for the files with paths of Debian's own
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL server programs library)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME rondo-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS rondo)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  "${debian_dir}/conffiles;${debian_files}/postinst;${debian_files}/prerm;${debian_files}/postrm")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME rondo)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME librondo-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "libabsl-dev, libgrpc++-dev, libprotobuf-dev")

include(CPack)
cpack_add_component(server DESCRIPTION "Server for recurrent networks
It serves recurrent networks over gRPC, keeps the state of every session, and
batches what runs at the same time. As a service of systemd it reads
/etc/rondo/server.flags.")
cpack_add_component(programs DESCRIPTION "Programs for users of a Rondo server
The command line rondo, the trainer rondo-train, the converter rondo-convert,
and the load generator rondo-load.")
cpack_add_component(library DESCRIPTION "C++ client library of Rondo
Headers, static libraries, and the CMake package rondo.")
