import { containerPaths } from "../defaults";
import { renderYaml } from "./yaml";

/** The file for the exporter's `--web.config.file`. Source: prometheus exporter-toolkit, docs/web-configuration.md. */
export function renderExporterWebYaml(): string {
    return renderYaml({
        tls_server_config: { cert_file: containerPaths.exporterCertificate, key_file: containerPaths.serverKey },
    });
}
