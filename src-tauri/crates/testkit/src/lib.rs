//! Scripted fakes, real fixtures, fault proxies, the crash driver.
//!
//! A fixture is a real part (engine, registry, git server, keyring) in a place of its own. One that is missing on this
//! machine panics and says how to get it; one that is dropped leaves nothing running.

pub mod fakes;

mod canary;
mod data_dir;
mod engine;
mod fault_proxy;
mod git_repository;
mod git_server;
mod jumping_clock;
mod kubernetes;
mod login;
mod node_program;
mod own_engine;
mod owned_process;
mod private_ca;
mod registry_server;
mod secret_service;
mod small_disk;
mod ssh_server;
mod wait;

pub use canary::{CANARY_MARK, Canary, CanaryScan, PlantedProcess, Sighting};
pub use data_dir::TempDataDir;
pub use engine::{BaseImage, Engine};
pub use fault_proxy::{Fault, FaultProxy};
pub use git_repository::GitRepository;
pub use git_server::{GitServer, GitServerMood, SeenRequest};
pub use jumping_clock::JumpingClock;
pub use kubernetes::{ClusterFault, KubernetesCluster, Rollout};
pub use login::Login;
pub use node_program::NodeProgram;
pub use own_engine::OwnEngine;
pub use owned_process::{OwnedProcess, free_port, is_installed};
pub use private_ca::PrivateCa;
pub use registry_server::RegistryServer;
pub use secret_service::SecretService;
pub use small_disk::SmallDisk;
pub use ssh_server::SshServer;
pub use wait::eventually;
