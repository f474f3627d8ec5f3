/**
 * Highly available PostgreSQL on Docker Swarm and plain Docker hosts: the public surface of the package.
 */

export { PostgresCluster } from "./postgresCluster";
export type {
    ClusterConsulArgs,
    ClusterEtcdArgs,
    ClusterImagesArgs,
    ClusterPatroniArgs,
    PostgresClusterArgs,
    SwarmArgs,
} from "./postgresClusterArgs";
export type { ClusterEndpoints, ClusterNode } from "./clusterEndpoints";
export { ClusterReference } from "./clusterReference";
export type { ReferencedApplication, ReferencedDirectLogin, ReferencedLogin } from "./clusterReference";
export type { ClusterMonitoring } from "./clusterMonitoring";
export type { ClusterOperations, OperationsHost, OperationsPsql, OperationsWorkload } from "./clusterOperations";

export { Host } from "./host";
export type { HostArgs, HostComponentArgs, KeyedHostArgs } from "./host";
export { Firewall } from "./firewall";
export type { FirewallArgs, FirewallPortsArgs, FirewallSettingsArgs } from "./firewall";
export { ClusterNetwork } from "./clusterNetwork";
export type { ClusterNetworkArgs, ClusterNetworkComponentArgs } from "./clusterNetwork";
export { ClusterCredentials } from "./clusterCredentials";
export type { ClusterCredentialsArgs } from "./clusterCredentials";
export { ClusterCertificates } from "./clusterCertificates";
export type { CertificateAuthorityArgs, ClusterCertificatesArgs, ServerCertificate } from "./clusterCertificates";
export type { ClusterTlsArgs } from "./clusterTls";
export { ClusterAdministrators } from "./clusterAdministrators";
export type { AdministratorArgs, ClusterAdministratorsArgs, DirectLogin } from "./clusterAdministrators";
export { DockerHosts } from "./dockerHosts";
export type { DockerHostsArgs, DockerHostsComponentArgs } from "./dockerHosts";
export { EtcdQuorum } from "./etcdQuorum";
export type {
    EtcdCertificatesArgs,
    EtcdConnection,
    EtcdMemberArgs,
    EtcdMemberPortsArgs,
    EtcdQuorumArgs,
    EtcdSettingsArgs,
} from "./etcdQuorum";
export { ExternalEtcd } from "./externalEtcd";
export type { ExternalEtcdArgs } from "./externalEtcd";
export { ConsulQuorum } from "./consulQuorum";
export type { ConsulMemberArgs, ConsulQuorumArgs, ConsulSettingsArgs } from "./consulQuorum";
export type { DcsConnection } from "./dcsConnection";
export { DcsKind } from "./render/dcsSections";
export type { ClusterPasswordGenerationsArgs } from "./passwordGenerations";
export { PatroniGroup } from "./patroniGroup";
export type { PatroniConnection, PatroniEndpoint } from "./patroniGroup";
export type { PatroniGroupArgs, PatroniPasswordArgs } from "./patroniGroupArgs";
export type { PatroniNodeArgs, PatroniNodePortsArgs } from "./patroniNode";
export type { PoolerControl, PoolersArgs } from "./patroniSwitchover";
export type { PatroniSettingsArgs } from "./patroniSettings";
export type { IgnoredSlotArgs, SlotArgs } from "./patroniSlots";
export { HaProxy } from "./haProxy";
export type { HaProxyArgs, RouterConnection } from "./haProxy";
export type { HaProxyPortsArgs, HaProxySettingsArgs } from "./haProxyArgs";
export { PgBouncer } from "./pgBouncer";
export type { PgBouncerArgs, PgBouncerSettingsArgs } from "./pgBouncer";
export { PostgresExporter } from "./postgresExporter";
export type { PostgresExporterArgs, PostgresExporterSettingsArgs } from "./postgresExporter";
export { ApplicationDatabase } from "./applicationDatabase";
export type { ApplicationArgs, ApplicationRoleArgs, ReplicationRoleArgs } from "./applicationArgs";
export type {
    ApplicationConnection,
    ApplicationDatabaseArgs,
    ApplicationEndpoints,
    ApplicationLogin,
    ApplicationUrls,
} from "./applicationDatabase";

export { createDockerProvider } from "./platform/dockerProvider";
export type { HostEngine } from "./platform/hosts/runtime";
export { EndpointMode, PublishMode } from "./platform/workload";
export type { HostConnection, ResourcesArgs, SshArgs, SwarmTarget, Target } from "./platform/workload";
export type { SqlConnection } from "./platform/sqlCommand";
export { TimingPreset } from "./checks/timing";
export { HbaMethod, HbaType } from "./render/pgHba";
export type { HbaRuleArgs } from "./render/pgHba";
export { SlotType } from "./render/patroniSlots";
export { PoolMode } from "./render/pgbouncerIni";
export type { SwitchoverRouters } from "./render/switchoverScript";
export { RoleAccess } from "./render/sql";
export type { ConnectionTarget } from "./render/connectionUrl";
