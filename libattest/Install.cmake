# What `cmake --install` installs of the library: the component "runtime" is the shared library,
# "development" is what programs are built with.
include(CMakePackageConfigHelpers)

install(TARGETS attest EXPORT libattestTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/libattest DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/libattest)
install(EXPORT libattestTargets NAMESPACE libattest:: DESTINATION ${package_dir}
  COMPONENT development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/libattestConfig.cmake.in
  libattestConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break what the one before it promised.
write_basic_package_version_file(libattestConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libattestConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/libattestConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)

# The file finds its prefix from its own place, so that an installed tree may be moved.
set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH ATTEST_PC_PREFIX ${pc_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" ATTEST_PC_PREFIX "${ATTEST_PC_PREFIX}")
cmake_path(APPEND ATTEST_PC_INCLUDEDIR "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
cmake_path(APPEND ATTEST_PC_LIBDIR "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
configure_file(${PROJECT_SOURCE_DIR}/cmake/libattest.pc.in libattest.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libattest.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
