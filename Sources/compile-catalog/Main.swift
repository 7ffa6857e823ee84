internal import CheckCatalog

@main
struct Main {
    static func main() {
    }
}
