#if !Server
#error("MienServer needs the package trait Server, as make builds it: swift build --traits Server")
#endif
