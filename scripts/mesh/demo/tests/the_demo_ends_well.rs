use anyhow::Result;
use tokio::process::Command;

#[tokio::test]
async fn and_says_so() -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("ok: all"), "{said}");
    Ok(())
}
